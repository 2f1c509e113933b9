import MediaKit
import Testing

@testable import Providers

@Suite struct TranscriptMergerTests {
    /// With a seed, so that a failure can be repeated.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    private func word(_ text: String, _ start: Double, _ end: Double) -> Transcript.Word {
        Transcript.Word(start: start, end: end, text: text)
    }

    private func segment(_ words: [Transcript.Word]) -> Transcript.Segment {
        Transcript.Segment(
            start: words[0].start, end: words[words.count - 1].end, text: words.map(\.text).joined(separator: " "),
            words: words)
    }

    /// Few different words, so that many are repeated, in sentences of random length.
    private func story(_ random: inout Random) -> [Transcript.Word] {
        let vocabulary = ["no", "yes", "the", "please", "enter", "number", "agent", "don't", "twenty-five", "a"]
        var words: [Transcript.Word] = []
        var time = 0.3
        for _ in 0..<120 {
            var text = vocabulary.randomElement(using: &random) ?? "no"
            if Int.random(in: 0..<7, using: &random) == 0 { text += "." }
            let length = Double.random(in: 0.15...0.6, using: &random)
            words.append(word(text, time, time + length))
            time += length + Double.random(in: 0...0.25, using: &random)
        }
        return words
    }

    @Test(arguments: 0..<60) func `no word is doubled or lost, wherever it is cut`(seed: Int) {
        var random = Random(state: UInt64(seed))
        let truth = story(&random)
        let end = truth[truth.count - 1].end + 1
        var pieces: [TranscriptMerger.Piece] = []
        var from = 0.0
        while from < end {
            let cut = from + Double.random(in: 8...15, using: &random)
            let to = min(end, cut + Double.random(in: 1.6...2.4, using: &random))
            var heard: [[Transcript.Word]] = [[]]
            for word in truth where word.end > from + 0.02 && word.start < to - 0.02 {
                // A word that is cut is heard as something else.
                var jittered = word
                let shift = Double.random(in: -0.06...0.06, using: &random)
                jittered.start = max(from, word.start + shift)
                jittered.end = min(to, word.end + shift)
                if word.start < from || word.end > to { jittered.text = "xx" }
                heard[heard.count - 1].append(jittered)
                if word.text.hasSuffix(".") || Int.random(in: 0..<9, using: &random) == 0 { heard.append([]) }
            }
            pieces.append(.init(covers: from..<to, segments: heard.filter { !$0.isEmpty }.map(segment)))
            from = to == end ? end : cut
        }
        let merged = TranscriptMerger.merge(pieces)
        let words = merged.flatMap(\.words)
        #expect(words.map(\.text) == truth.map(\.text))
        for (heard, word) in zip(words, truth) { #expect(abs(heard.start - word.start) <= 0.061) }
        #expect(merged.map(\.text).joined(separator: " ") == truth.map(\.text).joined(separator: " "))
        for segment in merged { #expect(segment.words.map(\.text).joined(separator: " ") == segment.text) }
    }

    @Test func `without times of words the text is parted at a common word`() {
        let merged = TranscriptMerger.merge([
            .init(
                covers: 0..<11,
                segments: [
                    .init(start: 0, end: 5, text: "One two three four five."),
                    .init(start: 6, end: 11, text: "We went down to the river ban"),
                ]),
            .init(
                covers: 8..<20,
                segments: [
                    .init(start: 8, end: 13, text: "own to the river bank and sat."),
                    .init(start: 14, end: 16, text: "Then it rained."),
                ]),
        ])
        #expect(
            merged.map(\.text) == [
                "One two three four five.", "We went down to the river bank and sat.", "Then it rained.",
            ])
        #expect(merged[1].start == 6 && abs(merged[1].end - 13) < 1e-6)
    }

    @Test func `a script without blanks is joined without blanks`() {
        let merged = TranscriptMerger.merge([
            .init(covers: 0..<6, segments: [.init(start: 0, end: 6, text: "今日はとても天気がい")]),
            .init(covers: 4..<10, segments: [.init(start: 4, end: 10, text: "天気がいいので散歩します。")]),
        ])
        #expect(merged.map(\.text) == ["今日はとても天気がいいので散歩します。"])
    }

    @Test func `what only one of two neighbours heard is kept`() {
        let merged = TranscriptMerger.merge([
            .init(covers: 0..<10, segments: [segment([word("before.", 1, 2)])]),
            .init(covers: 8..<20, segments: [segment([word("soon", 8.2, 8.6), word("after.", 12, 13)])]),
        ])
        #expect(merged.flatMap(\.words).map(\.text) == ["before.", "soon", "after."])
    }

    @Test func `a speaker keeps the name of the chunk before`() {
        let merged = TranscriptMerger.merge([
            .init(
                covers: 0..<10,
                segments: [
                    .init(start: 0, end: 3, text: "Hello there, how are you?", speaker: "A"),
                    .init(start: 7, end: 10, text: "I am fine today thank", speaker: "B"),
                ]),
            .init(
                covers: 7..<20,
                segments: [
                    .init(start: 7, end: 11, text: "I am fine today thank you.", speaker: "A"),
                    .init(start: 12, end: 14, text: "Good to hear.", speaker: "B"),
                ]),
        ])
        #expect(merged.map(\.speaker) == ["A", "B", "C"])
        #expect(merged[1].text == "I am fine today thank you.")
    }

    @Test func `channels come in the order of time`() {
        let merged = TranscriptMerger.interleaved([
            [.init(start: 0, end: 1, text: "a", channel: 0), .init(start: 4, end: 5, text: "c", channel: 0)],
            [.init(start: 2, end: 3, text: "b", channel: 1), .init(start: 4, end: 5, text: "d", channel: 1)],
        ])
        #expect(merged.map(\.text) == ["a", "b", "c", "d"])
    }
}
