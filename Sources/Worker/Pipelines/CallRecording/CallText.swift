import MediaKit

/// A transcript as rows and people have it.
enum CallText {
    /// What was said: where speakers are known, a line for each turn, "Caller: …"; else one line.
    static func content(of transcript: Transcript) -> String {
        var turns: [(speaker: String?, text: String)] = []
        for segment in transcript.segments {
            let text = segment.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard !text.isEmpty else { continue }
            if let last = turns.last, last.speaker == segment.speaker {
                turns[turns.count - 1].text += " " + text
            } else {
                turns.append((segment.speaker, text))
            }
        }
        return turns.map { turn in turn.speaker.map { "\($0): \(turn.text)" } ?? turn.text }.joined(separator: "\n")
    }

    private static let previewLength = 160

    /// The first words, on one line.
    static func preview(of transcript: Transcript) -> String {
        let words = content(of: transcript).split(whereSeparator: \.isWhitespace)
        var text = ""
        for word in words {
            let longer = text.isEmpty ? String(word) : text + " " + word
            guard longer.count < previewLength else {
                return (text.isEmpty ? String(longer.prefix(previewLength - 1)) : text) + "…"
            }
            text = longer
        }
        return text
    }
}
