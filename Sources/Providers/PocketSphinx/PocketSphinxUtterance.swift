import MediaKit

/// What a decoder made of an utterance, without what is no speech.
struct PocketSphinxUtterance {
    /// With times of the source; empty if it was no speech.
    let segments: [Transcript.Segment]

    /// A pause of so many seconds parts two segments.
    private static let pause = 0.6
    /// Of music and noise the decoder makes words, too, but hardly believes in them: those of speech have a mean
    /// probability of 0.4 to 0.9, weighted by their lengths.
    private static let leastConfidence = 0.25
    /// And it takes much of it for noise: of speech hardly a tenth of the time without silence, of music a half.
    private static let mostNoise = 0.35

    /// - Parameter start: of the utterance, in seconds of the source.
    init(_ heard: [PocketSphinxDecoder.Word], start: Double) {
        var words: [Transcript.Word] = []
        var noise = 0.0
        for word in heard {
            guard !Self.isFiller(word.entry) else {
                if !Self.isSilence(word.entry) { noise += word.end - word.start }
                continue
            }
            words.append(
                Transcript.Word(
                    start: start + word.start, end: start + word.end, text: Self.written(word.entry),
                    confidence: word.confidence))
        }
        let spoken = words.reduce(0) { $0 + $1.end - $1.start }
        guard spoken > 0, noise <= Self.mostNoise * (spoken + noise), Self.confidence(words) >= Self.leastConfidence
        else {
            segments = []
            return
        }
        var runs: [[Transcript.Word]] = []
        for word in words {
            if let last = runs.last?.last, word.start - last.end < Self.pause {
                runs[runs.count - 1].append(word)
            } else {
                runs.append([word])
            }
        }
        segments = runs.compactMap { words in
            guard let first = words.first, let last = words.last else { return nil }
            return Transcript.Segment(
                start: first.start, end: last.end, text: words.map(\.text).joined(separator: " "), words: words,
                confidence: Self.confidence(words))
        }
    }

    /// The mean of the words', weighted by their lengths.
    private static func confidence(_ words: [Transcript.Word]) -> Double {
        let weights = words.map { max($0.end - $0.start, 0.01) }
        let sum = zip(words, weights).reduce(0) { $0 + ($1.0.confidence ?? 0) * $1.1 }
        return sum / max(weights.reduce(0, +), 0.01)
    }

    /// `<sil>`, `[NOISE]`, `++UH++`
    private static func isFiller(_ entry: String) -> Bool {
        entry.hasPrefix("<") || entry.hasPrefix("[") || entry.hasPrefix("++")
    }

    private static func isSilence(_ entry: String) -> Bool { ["<s>", "</s>", "<sil>"].contains(entry) }

    /// Without the number of the pronunciation; the dictionary has all in small letters.
    private static func written(_ entry: String) -> String {
        let word = entry.hasSuffix(")") ? String(entry.prefix { $0 != "(" }) : entry
        return word == "i" || word.hasPrefix("i'") ? "I" + word.dropFirst() : word
    }
}
