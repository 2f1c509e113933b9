import Locking
import MediaKit
import Providers
import ProviderTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@Suite struct OpenAITranscriberTests {
    private let scratch: Scratch
    private let client: HTTPClient

    init() throws {
        scratch = try Scratch()
        client = try HTTPClient()
    }

    private static let quick = HTTPRetryPolicy(
        maxAttempts: 3, base: .milliseconds(5), cap: .milliseconds(20), longestRetryAfter: .milliseconds(500))

    private func transcriber(
        _ server: OpenAIStandIn, model: String = "whisper-1", key: String? = OpenAIStandIn.key, requests: Int = 4,
        format: SpeechFileFormat = .opus, longestChunk: Double = 600, price: Double? = nil,
        timeouts: HTTPTimeouts = OpenAITranscriber.usualTimeouts
    ) throws -> OpenAITranscriber {
        OpenAITranscriber(
            settings: OpenAISettings(key: key, baseURL: try HTTPURL(server.baseURL)), model: model, client: client,
            requests: requests, pricePerMinute: price, format: format, longestChunk: longestChunk,
            retries: Self.quick, timeouts: timeouts)
    }

    private func server(
        _ noise: SpokenNoise, _ dialect: OpenAIStandIn.Dialect = .openAI, faults: [Int: OpenAIStandIn.Fault] = [:],
        manner: OpenAIStandIn.Manner = OpenAIStandIn.Manner()
    ) throws -> OpenAIStandIn {
        let recording = noise.recording
        return try OpenAIStandIn(dialect, faults: faults, manner: manner) { samples, _ in recording(samples) }
    }

    private func expectTruth(
        _ transcript: Transcript, _ noise: SpokenNoise, within tolerance: Double = 0.05,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(transcript.words.map(\.text) == noise.words.map(\.text), sourceLocation: sourceLocation)
        for (heard, word) in zip(transcript.words, noise.words) {
            #expect(
                abs(heard.start - word.start) < tolerance && abs(heard.end - word.end) < tolerance,
                "\(heard) instead of \(word)", sourceLocation: sourceLocation)
        }
    }

    private func failure(_ body: () async throws -> Void) async -> ProviderError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? ProviderError
        }
    }

    // MARK: Servers

    @Test(arguments: OpenAIStandIn.Dialect.allCases) func `words, punctuation and times of each server`(
        dialect: OpenAIStandIn.Dialect
    ) async throws {
        let noise = try await SpokenNoise.made(seconds: 70)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise, dialect)
        let made = try await transcriber(
            server, format: dialect == .whisperCpp ? .wav : .opus, longestChunk: 30
        ).transcribe(TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        expectTruth(made.transcript, noise)
        #expect(made.transcript.language == "en" && made.transcript.engine == "openai:whisper-1")
        #expect(
            made.transcript.segments.allSatisfy {
                $0.text.hasSuffix(".") || $0.text.hasSuffix("\(noise.words.last?.text ?? "")")
            })
        for segment in made.transcript.segments {
            #expect(segment.words.map(\.text).joined(separator: " ") == segment.text)
        }
        #expect(server.complaints.isEmpty && made.usage.requests == server.received.count)
    }

    @Test(arguments: SpeechFileFormat.allCases) func `each format arrives in time`(format: SpeechFileFormat)
        async throws
    {
        let noise = try await SpokenNoise.made(seconds: 30)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise)
        let made = try await transcriber(server, format: format).transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        expectTruth(made.transcript, noise)
    }

    @Test func `a server that knows no times of words is asked for less`() async throws {
        let noise = try await SpokenNoise.made(seconds: 40)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        for (model, requests) in [("segments-1", 1), ("plain-1", 2)] {
            let server = try self.server(noise)
            let made = try await transcriber(server, model: model, requests: 1).transcribe(
                TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
            let text = made.transcript.segments.map(\.text).joined(separator: " ")
            #expect(text == noise.words.map(\.text).joined(separator: " "), "\(model)")
            #expect(server.complaints.count == requests, "\(model) was asked in vain once for each form")
            #expect(made.transcript.words.isEmpty)
        }
    }

    @Test func `a model without times is sent one utterance at a time`() async throws {
        let noise = try await SpokenNoise.made(seconds: 40)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise)
        let made = try await transcriber(server, model: "gpt-4o-transcribe").transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        #expect(server.complaints.isEmpty && server.received.count > 4)
        #expect(
            made.transcript.segments.map(\.text).joined(separator: " ")
                == noise.words.map(\.text).joined(separator: " "))
        for segment in made.transcript.segments {
            let first = noise.words.first { segment.text.split(separator: " ").first == $0.text[...] }
            #expect(abs(segment.start - (first?.start ?? -1)) < 0.1)
        }
    }

    @Test func `a model that tells speakers apart gives speakers`() async throws {
        let noise = try await SpokenNoise.made(seconds: 30)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise)
        let made = try await transcriber(server, model: "gpt-4o-transcribe-diarize").transcribe(
            TranscriptionRequest(input: input, prompt: "not for this one"), media: MediaEngine(), progress: nil)
        #expect(server.complaints.isEmpty)
        #expect(Set(made.transcript.segments.compactMap(\.speaker)) == ["A", "B"])
    }

    // MARK: Channels, silence

    @Test(arguments: [TranscriptionRequest.Channels.separate, .automatic])
    func `both sides of a call are recognised apart and put together by time`(
        channels: TranscriptionRequest.Channels
    ) async throws {
        let caller = try await SpokenNoise.made(seconds: 40, seed: 5, pause: 3)
        let agent = try await SpokenNoise.made(seconds: 40, seed: 6, pause: 3, lead: 2.5)
        let input = try await SpokenNoise.write([caller.samples, agent.samples], to: scratch)
        let (first, second) = (caller.recording, agent.recording)
        let server = try OpenAIStandIn { samples, _ in
            first.place(of: samples) != nil ? first(samples) : second(samples)
        }
        let made = try await transcriber(server).transcribe(
            TranscriptionRequest(input: input, channels: channels, speakers: ["Caller"]), media: MediaEngine(),
            progress: nil)
        let segments = made.transcript.segments
        #expect(segments.map(\.start) == segments.map(\.start).sorted())
        for (channel, noise, speaker) in [(0, caller, "Caller"), (1, agent, "Speaker 2")] {
            let own = segments.filter { $0.channel == channel }
            #expect(own.flatMap(\.words).map(\.text) == noise.words.map(\.text))
            #expect(own.allSatisfy { $0.speaker == speaker })
        }
    }

    @Test func `stereo with the same sound on both sides is recognised once, where it is left open`() async throws {
        let noise = try await SpokenNoise.made(seconds: 40)
        let input = try await SpokenNoise.write([noise.samples, noise.samples.map { $0 / 2 }], to: scratch)
        let server = try self.server(noise)
        let made = try await transcriber(server).transcribe(
            TranscriptionRequest(input: input, channels: .automatic, speakers: ["Caller", "Agent"]),
            media: MediaEngine(), progress: nil)
        expectTruth(made.transcript, noise)
        #expect(made.transcript.segments.allSatisfy { $0.channel == nil && $0.speaker == nil })
        #expect(server.received.count == 1 && made.usage.audioSeconds <= 40)
    }

    @Test func `silence costs no request`() async throws {
        let input = try await SpokenNoise.write([[Int16](repeating: 0, count: 16_000 * 5)], to: scratch)
        let server = try OpenAIStandIn { _, _ in [] }
        let made = try await transcriber(server).transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        #expect(made.transcript.segments.isEmpty && server.attempts == 0)
        #expect(made.usage.requests == 0 && made.usage.cost == 0 && made.transcript.duration == 5)
    }

    // MARK: Usage, prompt, progress

    @Test func `seconds and cost are recorded, and progress goes up to 1`() async throws {
        let noise = try await SpokenNoise.made(seconds: 60)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise)
        let told = Locked<[Double]>([])
        let made = try await transcriber(server, longestChunk: 20).transcribe(
            TranscriptionRequest(input: input), media: MediaEngine()
        ) { fraction in told.withLock { $0.append(fraction) } }
        let sent = server.received.reduce(0) { $0 + Double($1.samples.count) / 16_000 }
        #expect(abs(made.usage.audioSeconds - sent) < 0.2 && made.usage.audioSeconds > 58)
        #expect(abs((made.usage.cost ?? 0) - made.usage.audioSeconds / 60 * 0.006) < 1e-9)
        #expect(made.usage.bytesRead > 0)
        let fractions = told.withLock { $0 }
        #expect(fractions == fractions.sorted() && fractions.last == 1)
        let priced = try await transcriber(server, model: "own-1", price: 6).transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        #expect(abs((priced.usage.cost ?? 0) - priced.usage.audioSeconds / 10) < 1e-9)
    }

    @Test func `one request at a time has the text before it as its prompt`() async throws {
        let noise = try await SpokenNoise.made(seconds: 60)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise)
        _ = try await transcriber(server, requests: 1, longestChunk: 30).transcribe(
            TranscriptionRequest(input: input, language: "en", prompt: "Kiln"), media: MediaEngine(), progress: nil)
        let prompts = server.received.map { $0.form["prompt"] ?? "" }
        #expect(prompts.first == "Kiln" && prompts.count > 1)
        #expect(prompts.dropFirst().allSatisfy { $0.hasPrefix("Kiln word") || $0.contains("word") })
        #expect(server.received.allSatisfy { $0.form["language"] == "en" })
    }

    // MARK: Faults

    static let passing: [(String, OpenAIStandIn.Fault)] = [
        ("429, seconds", .answer(429, headers: ["Retry-After": "0"], body: #"{"error":{"message":"slow down"}}"#)),
        ("429, ms", .answer(429, headers: ["retry-after-ms": "10"], body: #"{"error":{"message":"slow down"}}"#)),
        ("500", .answer(500, body: "upstream failed")),
        ("503", .answer(503, body: #"{"error":"loading model"}"#)),
        ("400, but to be retried", .answer(400, headers: ["x-should-retry": "true"], body: #"{"detail":"odd"}"#)),
        ("a cut answer", .cutBody),
    ]

    @Test(arguments: OpenAITranscriberTests.passing.indices) func `what passes is tried again`(index: Int) async throws
    {
        let noise = try await SpokenNoise.made(seconds: 15)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise, faults: [1: Self.passing[index].1])
        let made = try await transcriber(server).transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        expectTruth(made.transcript, noise)
        #expect(server.attempts == 2 && made.usage.requests == 1, "\(Self.passing[index].0)")
    }

    static let lasting: [(OpenAIStandIn.Fault, ProviderError.Code, Bool)] = [
        (
            .answer(
                429, body: #"{"error":{"message":"no money","type":"insufficient_quota","code":"insufficient_quota"}}"#),
            .quota, false
        ),
        (.answer(429, headers: ["Retry-After": "90"], body: #"{"error":{"message":"wait"}}"#), .throttled, true),
        (.answer(500, headers: ["x-should-retry": "false"], body: "no"), .unavailable, false),
        (.answer(403, body: #"{"detail":"Forbidden"}"#), .configuration, false),
        (.answer(404, body: #"{"error":{"message":"The model does not exist"}}"#), .notFound, false),
        (.answer(422, body: #"{"detail":[{"msg":"field required","loc":["body","x"]}]}"#), .badRequest, false),
    ]

    @Test(arguments: OpenAITranscriberTests.lasting.indices) func `what lasts is thrown at once, and says what it is`(
        index: Int
    ) async throws {
        let (fault, code, isRetryable) = Self.lasting[index]
        let noise = try await SpokenNoise.made(seconds: 15)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise, faults: [1: fault])
        let error = await failure {
            _ = try await transcriber(server).transcribe(
                TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        }
        #expect(error?.code == code && error?.isRetryable == isRetryable)
        #expect(error?.requestID == "req_1" && server.attempts == 1)
        if code == .throttled { #expect(error?.retryAfter == .seconds(90)) }
        #expect(!"\(String(describing: error))".contains(OpenAIStandIn.key))
    }

    @Test func `a wrong key is a matter of configuration`() async throws {
        let noise = try await SpokenNoise.made(seconds: 15)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise)
        let error = await failure {
            _ = try await transcriber(server, key: "sk-wrong-key-123").transcribe(
                TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        }
        #expect(error?.code == .configuration && error?.description.contains("OPENAI_API_KEY") == true)
        #expect(error?.description.contains("sk-wrong") == false && server.attempts == 1)
    }

    @Test func `a server that says nothing is given up`() async throws {
        let noise = try await SpokenNoise.made(seconds: 15)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let server = try self.server(noise, faults: [1: .stall, 2: .stall, 3: .stall])
        let error = await failure {
            _ = try await transcriber(server, timeouts: HTTPTimeouts(stall: .milliseconds(200))).transcribe(
                TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        }
        #expect(error?.code == .unavailable && error?.isRetryable == true && server.attempts == 3)
    }

    @Test func `what is too long for the service is sent in parts`() async throws {
        let noise = try await SpokenNoise.made(seconds: 100)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        var manner = OpenAIStandIn.Manner()
        manner.longest = 40
        let server = try self.server(noise, manner: manner)
        let made = try await transcriber(server).transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        expectTruth(made.transcript, noise)
        #expect(!server.complaints.isEmpty && made.usage.requests >= 3)
        let large = try self.server(noise, faults: [1: .answer(413, body: "Request Entity Too Large")])
        expectTruth(
            try await transcriber(large).transcribe(
                TranscriptionRequest(input: input), media: MediaEngine(), progress: nil
            ).transcript, noise)
    }

    @Test func `a cancel ends all requests`() async throws {
        let noise = try await SpokenNoise.made(seconds: 60)
        let input = try await SpokenNoise.write([noise.samples], to: scratch)
        let asked = AsyncFlag()
        let server = try OpenAIStandIn(faults: [2: .stall, 3: .stall, 4: .stall]) { _, _ in
            asked.raise()
            return []
        }
        let transcriber = try self.transcriber(server, longestChunk: 15)
        let task = Task {
            try await transcriber.transcribe(
                TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
        }
        await asked.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
