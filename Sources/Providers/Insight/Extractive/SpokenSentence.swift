import MediaKit

/// A sentence of a transcript, word for word, and who said it.
struct SpokenSentence: Sendable, Equatable {
    var text: String
    var speaker: String?

    /// The sentences of a transcript in order. One may begin in a segment and end in the next of the same speaker, with
    /// the texts joined by a blank; a recogniser that writes no punctuation gives its segments as sentences.
    static func all(of transcript: Transcript) -> [SpokenSentence] {
        let hasPunctuation = transcript.segments.contains { $0.text.contains(where: isEnd) }
        var sentences: [SpokenSentence] = []
        var open = ""
        var previous: Transcript.Segment?
        func close() {
            let text = open.trimmed
            if text.contains(where: { $0.isLetter || $0.isNumber }) {
                sentences.append(SpokenSentence(text: text, speaker: previous?.speaker))
            }
            open = ""
        }
        for segment in transcript.segments {
            let text = segment.text.trimmed
            guard !text.isEmpty else { continue }
            if let last = previous {
                let isOther = last.speaker != segment.speaker || last.channel != segment.channel
                // After a pause, or at a length that no sentence has, something else begins.
                if isOther || !hasPunctuation || segment.start - last.end > 2 || open.count > 400 { close() }
            }
            if !open.isEmpty { open += " " }
            previous = segment
            let characters = Array(text)
            for (index, character) in characters.enumerated() {
                open.append(character)
                let next = index + 1 < characters.count ? characters[index + 1] : nil
                if ends(open, before: next) { close() }
            }
        }
        close()
        return sentences
    }

    private static func isEnd(_ character: Character) -> Bool { ".?!…。！？".contains(character) }

    /// Whether a sentence ends with the last letter of `text`.
    private static func ends(_ text: String, before next: Character?) -> Bool {
        guard let last = text.last, isEnd(last) else { return false }
        if "。！？".contains(last) { return next.map { !"」』）)".contains($0) } ?? true }
        guard next?.isWhitespace ?? true else { return false }
        guard last == "." else { return true }
        // "Dr. Meier", "J. Smith", "e.g. this", but for the end of what is said.
        guard next != nil else { return true }
        let word = text.dropLast().split(whereSeparator: \.isWhitespace).last ?? ""
        return !(word.count == 1 && word.allSatisfy(\.isLetter)) && !word.contains(".")
            && !abbreviations.contains(word.lowercased())
    }

    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "approx", "no", "nr", "inc", "ltd", "co", "jr", "sr", "bzw",
        "usw", "ca", "sra", "srta", "mme", "mlle",
    ]
}

extension StringProtocol {
    /// Without the blanks at both ends.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
