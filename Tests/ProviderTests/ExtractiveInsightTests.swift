import MediaKit
import Providers
import Testing

struct ExtractiveInsightTests {
    private static func words(_ transcript: Transcript) -> String {
        transcript.segments.map(\.text).joined(separator: " ")
    }

    /// Whether a text consists of sentences of a transcript: each of the longest runs that can be found there.
    private static func isVerbatim(_ text: String, in transcript: Transcript) -> Bool {
        let source = words(transcript)
        var rest = text[...]
        while !rest.isEmpty {
            var run = rest
            while !source.contains(run) {
                guard let blank = run.lastIndex(of: " ") else { return false }
                run = run[..<blank]
            }
            // A run ends where a sentence does, not amid one.
            guard run.count == rest.count || run.last.map({ ".?!".contains($0) }) == true else { return false }
            rest = rest[run.endIndex...].drop { $0 == " " }
        }
        return true
    }

    @Test func `a summary is made of the call's own sentences, and says so`() async throws {
        let insights = try await InsightWriter(model: nil).write(ChatBench.call)
        #expect(insights.method == .extractive)
        #expect(insights.engine == "extractive")
        #expect(insights.model == nil)
        #expect(insights.usage == ChatUsage())
        #expect(!insights.summary.isEmpty)
        #expect(Self.isVerbatim(insights.summary, in: ChatBench.call))
        #expect(insights.topics.contains { $0.contains("brake cable") })
        let source = Self.words(ChatBench.call)
        for topic in insights.topics { #expect(source.contains(topic)) }
        for entity in insights.entities { #expect(source.contains(entity.text)) }
    }

    @Test func `promises and requests are found with who made them and until when`() async throws {
        let insights = try await InsightWriter(model: nil).write(ChatBench.call)
        #expect(
            insights.actionItems == [
                .init(owner: "Agent", text: "I'll send a new brake cable by Friday, free of charge.", due: "Friday"),
                .init(
                    owner: nil, text: "Please call me back at +1 415 555 0132 or write to lee@example.com.", due: nil),
            ])
        #expect(insights.nextStep == insights.actionItems.last?.text)
    }

    @Test func `numbers, addresses, amounts and names are found as they were said`() async throws {
        let entities = try await InsightWriter(model: nil).write(ChatBench.call).entities
        for expected in [
            CallInsights.Entity(type: .phone, text: "+1 415 555 0132"), .init(type: .email, text: "lee@example.com"),
            .init(type: .amount, text: "$49.90"), .init(type: .date, text: "Friday"),
            .init(type: .name, text: "Northwind Bikes"), .init(type: .name, text: "Dana"),
        ] {
            #expect(entities.contains(expected))
        }
    }

    @Test func `any call gives the same each time, and no word that is not its own`() async throws {
        let vocabulary = [
            "order", "delivery", "Berlin", "the", "is", "and", "invoice", "late", "broken", "I'll send", "please call",
            "Dr.", "3.5", "great", "not", "customer", "bike", "on Monday", "we need to", "Müller", "ok",
        ]
        // A fixed course, so that a failure can be seen again.
        var state: UInt64 = 42
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for round in 0..<40 {
            let segments = (0..<(1 + random(30))).map { number in
                let text = (0...random(12)).map { _ in vocabulary[random(vocabulary.count)] }.joined(separator: " ")
                return Transcript.Segment(
                    start: Double(number) * 5, end: Double(number) * 5 + 4,
                    text: text + [".", "?", "!", ""][random(4)],
                    speaker: ["A", "B", nil][random(3)])
            }
            let transcript = Transcript(
                language: [nil, "en", "de", "xx"][round % 4], duration: 500, segments: segments)
            let insights = try await InsightWriter(model: nil).write(transcript)
            #expect(try await InsightWriter(model: nil).write(transcript) == insights)
            let source = Set(Self.words(transcript).split(separator: " "))
            for word in insights.summary.split(separator: " ") { #expect(source.contains(word)) }
            for item in insights.actionItems { #expect(Self.words(transcript).contains(item.text)) }
            for topic in insights.topics { #expect(Self.words(transcript).contains(topic)) }
        }
    }

    @Test func `a sentence may go on in the next segment, but not from one speaker to another`() async throws {
        let transcript = Transcript(
            language: "en", duration: 9,
            segments: [
                .init(start: 0, end: 2, text: "We need to replace the", speaker: "A"),
                .init(start: 2, end: 4, text: "water pump.", speaker: "A"),
                .init(start: 4, end: 6, text: "We need to hurry", speaker: "B"),
                .init(start: 6, end: 8, text: "and leave.", speaker: "A"),
            ])
        let items = try await InsightWriter(model: nil).write(transcript).actionItems.map(\.text)
        #expect(items == ["We need to replace the water pump.", "We need to hurry"])
    }

    @Test func `mood is told where the words are clear, and unknown where they are few`() async throws {
        func sentiment(_ text: String) async throws -> CallInsights.Sentiment {
            try await InsightWriter(model: nil).write(
                Transcript(language: "en", duration: 9, segments: [.init(start: 0, end: 9, text: text)])
            ).sentiment
        }
        let angry = try await sentiment("This is terrible. I am angry and disappointed. It is broken and not good.")
        #expect(angry.label == .negative && angry.score < 0)
        let happy = try await sentiment("Perfect, thank you. That is great, very helpful. I love it, wonderful.")
        #expect(happy.label == .positive && happy.score > 0)
        #expect(try await sentiment("The parcel is at the station.") == .unknown)
    }

    @Test func `scripts without blanks are summed up too`() async throws {
        let transcript = Transcript(
            language: "ja", duration: 20,
            segments: [
                .init(start: 0, end: 5, text: "注文した自転車がまだ届いていません。"),
                .init(start: 5, end: 10, text: "自転車の配送状況を確認します。"),
                .init(start: 10, end: 12, text: "はい。"),
            ])
        let summary = try await InsightWriter(model: nil).write(transcript).summary
        #expect(transcript.segments.map(\.text).contains(summary))
        #expect(summary != "はい。")
    }
}
