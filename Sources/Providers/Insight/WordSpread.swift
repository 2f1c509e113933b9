import MediaKit

/// Times of words that nobody has measured: they share out the time of their segment by their length.
enum WordSpread {
    /// The words of `text`, whose times follow on each other from `start` to `end`.
    static func words(of text: String, from start: Double, to end: Double) -> [Transcript.Word] {
        let words = words(in: text)
        // One more than its letters: short words take time, too.
        let weights = words.map { Double($0.count + 1) }
        let total = weights.reduce(0, +)
        var before = 0.0
        var spread = zip(words, weights).map { word, weight in
            let begin = start + (end - start) * before / total
            before += weight
            return Transcript.Word(start: begin, end: start + (end - start) * before / total, text: word)
        }
        // Exactly, whatever the divisions have left.
        if let last = spread.indices.last { spread[last].end = end }
        return spread
    }

    /// Between blanks; letters of scripts without blanks each by itself, with the punctuation around them.
    static func words(in text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).flatMap { run -> [String] in
            guard run.contains(where: isWordByItself) else { return [String(run)] }
            var words: [String] = []
            var opening = ""
            var endsInLetter = false
            for character in run {
                if isWordByItself(character) {
                    words.append(opening + String(character))
                    opening = ""
                    endsInLetter = false
                } else if "「『（(【《〈“‘".contains(character) {
                    opening.append(character)
                } else if character.isLetter || character.isNumber {
                    // A name in Latin letters amid them.
                    if endsInLetter, opening.isEmpty, let last = words.indices.last {
                        words[last].append(character)
                    } else {
                        words.append(opening + String(character))
                        opening = ""
                    }
                    endsInLetter = true
                } else if let last = words.indices.last {
                    words[last].append(character)
                } else {
                    opening.append(character)
                }
            }
            if !opening.isEmpty {
                if let last = words.indices.last { words[last] += opening } else { words.append(opening) }
            }
            return words
        }
    }

    /// Chinese characters, kana, Thai, Lao, Khmer and Burmese are written without blanks.
    private static func isWordByItself(_ character: Character) -> Bool {
        guard let scalar = character.unicodeScalars.first else { return false }
        switch scalar.value {
        case 0x3041...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2FA1F, 0x0E00...0x0EFF,
            0x1000...0x109F, 0x1780...0x17FF:
            return true
        default: return false
        }
    }
}
