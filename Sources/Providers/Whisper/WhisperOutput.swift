import MediaKit

/// What whisper.cpp made of a chunk, with times of the chunk.
struct WhisperOutput: Sendable {
    struct Token: Sendable {
        /// A piece of UTF-8, which may begin or end within a character.
        var bytes: [UInt8]
        /// Seconds.
        var start: Double?
        var end: Double?
        /// 0 to 1.
        var probability: Double
    }

    struct Segment: Sendable {
        /// Seconds.
        var start: Double
        var end: Double
        var tokens: [Token]
    }

    /// An ISO 639-1 code.
    var language: String?
    var segments: [Segment] = []

    /// Languages that are written without blanks between words: there each character, or what the model has as one
    /// token, is a word.
    private static let withoutBlanks: Set<String> = ["zh", "ja", "th", "lo", "my", "km", "yue", "bo"]

    /// - Parameters:
    ///   - start: of the chunk, in seconds of the source.
    ///   - duration: of the chunk, in seconds.
    func segments(from start: Double, duration: Double) -> [Transcript.Segment] {
        segments.compactMap { segment in
            let words = Self.words(segment, hasBlanks: !Self.withoutBlanks.contains(language ?? "")).map { word in
                var word = word
                word.start = start + min(word.start, duration)
                word.end = max(word.start, start + min(word.end, duration))
                return word
            }
            let text = String(decoding: segment.tokens.flatMap(\.bytes), as: UTF8.self)
            let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
            guard !trimmed.isEmpty, !Self.isSound(String(trimmed)) else { return nil }
            let sum = segment.tokens.reduce(0) { $0 + $1.probability }
            let first = start + min(segment.start, duration)
            return Transcript.Segment(
                start: words.first?.start ?? first,
                end: words.last?.end ?? max(first, start + min(segment.end, duration)), text: String(trimmed),
                words: words, confidence: segment.tokens.isEmpty ? nil : sum / Double(segment.tokens.count))
        }
    }

    /// "[BLANK_AUDIO]", "(upbeat music)": said of the sound, not in it.
    private static func isSound(_ text: String) -> Bool {
        text.hasPrefix("[") && text.hasSuffix("]") || text.hasPrefix("(") && text.hasSuffix(")")
    }

    /// Tokens begin words with a blank; the others go on with the word before them. Empty if a token has no times.
    private static func words(_ segment: Segment, hasBlanks: Bool) -> [Transcript.Word] {
        struct Open {
            var bytes: [UInt8] = []
            var start = 0.0
            var end = 0.0
            var least = 1.0
        }
        var open: [Open] = []
        for token in segment.tokens {
            guard let start = token.start, let end = token.end else { return [] }
            let isComplete = open.last.map { String(validating: $0.bytes, as: UTF8.self) != nil } ?? true
            let begins = token.bytes.first == UInt8(ascii: " ") || !hasBlanks && isComplete
            if open.isEmpty || begins { open.append(Open(start: start)) }
            open[open.count - 1].bytes += token.bytes
            open[open.count - 1].end = max(open[open.count - 1].start, end)
            open[open.count - 1].least = min(open[open.count - 1].least, token.probability)
        }
        var words: [Transcript.Word] = []
        for word in open {
            let text = String(decoding: word.bytes, as: UTF8.self).filter { !$0.isWhitespace }
            guard !text.isEmpty else { continue }
            // Punctuation belongs to the word before it.
            if !hasBlanks, !words.isEmpty, text.allSatisfy(\.isPunctuation) {
                words[words.count - 1].text += text
                words[words.count - 1].end = max(words[words.count - 1].end, word.end)
                continue
            }
            // Times of tokens are estimates that may overlap.
            let start = max(word.start, words.last?.end ?? 0)
            words.append(
                Transcript.Word(start: start, end: max(start, word.end), text: text, confidence: word.least))
        }
        return words
    }
}
