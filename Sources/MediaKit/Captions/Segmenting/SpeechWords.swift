/// The words of a transcript's segment as captions need them: each with its time, and whether a blank precedes it.
enum SpeechWords {
    /// In order, starts not before the one of the word before; none is empty.
    static func of(_ segment: Transcript.Segment) -> [Caption.Word] {
        let words = segment.words.compactMap { word -> Transcript.Word? in
            var copy = word
            copy.text = trimmed(word.text)
            return copy.text.isEmpty ? nil : copy
        }
        guard !words.isEmpty else { return spread(segment.text, from: segment.start, to: segment.end) }
        let blanks = blanks(before: words.map(\.text), in: segment.text)
        let timed = zip(words, blanks).map {
            // A recogniser may hear the first word a little before the beginning.
            Caption.Word(start: max($0.start, 0), end: max($0.end, 0), text: $0.text, followsBlank: $1)
        }
        let isTimed = words.allSatisfy { $0.start.isFinite && $0.end.isFinite }
        let isSpan = words.count == 1 || (words.last?.end ?? 0) > (words.first?.start ?? 0)
        return isTimed && isSpan ? ordered(timed) : spread(timed, from: segment.start, to: segment.end)
    }

    /// A text's words, with times by their lengths.
    static func spread(_ text: String, from start: Double, to end: Double) -> [Caption.Word] {
        spread(split(text), from: start, to: end)
    }

    /// Gives words times by their lengths; the end of a sentence or a clause takes a little time, too.
    static func spread(_ words: [Caption.Word], from start: Double, to end: Double) -> [Caption.Word] {
        let start = start.isFinite ? max(start, 0) : 0
        let end = end.isFinite ? max(end, start) : start
        let weights = words.map { word -> Double in
            let letters = Double(word.text.count)
            switch CaptionPunctuation.end(of: word.text) {
            case .sentence: return letters + 3
            case .clause: return letters + 2
            case .none: return letters + (word.followsBlank ? 1 : 0)
            }
        }
        let total = max(weights.reduce(0, +), 1)
        var passed = 0.0
        return zip(words, weights).map { word, weight in
            var word = word
            word.start = start + (end - start) * passed / total
            passed += weight
            word.end = min(start + (end - start) * passed / total, end)
            return word
        }
    }

    /// Words at blanks, and between characters that lines may be broken between anyway (East Asian).
    static func split(_ text: String) -> [Caption.Word] {
        var words: [Caption.Word] = []
        var current = ""
        var followsBlank = false
        func finish() {
            let word = trimmed(current)
            if !word.isEmpty { words.append(Caption.Word(start: 0, end: 0, text: word, followsBlank: followsBlank)) }
            current = ""
        }
        for character in text {
            if character.isWhitespace, character != "\u{A0}", character != "\u{202F}" {
                finish()
                followsBlank = true
            } else {
                if let last = current.last, isWide(last) || isWide(character),
                    TextLayoutBreaks.isAllowed(between: last, and: character)
                {
                    finish()
                    followsBlank = false
                }
                current.append(character)
            }
        }
        finish()
        if !words.isEmpty { words[0].followsBlank = true }
        return words
    }

    /// A word cut into parts no longer than `length`, where a break is allowed if possible; times by length.
    static func cut(_ word: Caption.Word, to length: Double, rules: FilledCaptionRules) -> [Caption.Word] {
        guard rules.length(word.text) > length else { return [word] }
        var parts: [String] = []
        var rest = Substring(word.text)
        while !rest.isEmpty {
            var end = rest.startIndex
            var allowed: Substring.Index?
            var width = 0.0
            while end < rest.endIndex {
                let one = rules.length(String(rest[end]))
                if end > rest.startIndex {
                    if width + one > length { break }
                    let before = rest[rest.index(before: end)]
                    if TextLayoutBreaks.isAllowed(between: before, and: rest[end]) { allowed = end }
                }
                width += one
                end = rest.index(after: end)
            }
            if end < rest.endIndex, let allowed { end = allowed }
            parts.append(String(rest[..<end]))
            rest = rest[end...]
        }
        let pieces = parts.enumerated().map { index, text in
            Caption.Word(start: 0, end: 0, text: text, followsBlank: index == 0 && word.followsBlank)
        }
        return spread(pieces, from: word.start, to: word.end)
    }

    private static func isWide(_ character: Character) -> Bool {
        character.unicodeScalars.first.map(TextLayoutBreaks.isWide) ?? false
    }

    /// Whether each word stands after a blank in the text. Where the text is another, by the script.
    private static func blanks(before words: [String], in text: String) -> [Bool] {
        let characters = Array(text)
        var cursor = 0
        var blanks: [Bool] = []
        for word in words {
            var position = cursor
            var hasBlank = blanks.isEmpty
            while position < characters.count, characters[position].isWhitespace {
                position += 1
                hasBlank = true
            }
            var matched = true
            for character in word where !character.isWhitespace {
                while position < characters.count, characters[position].isWhitespace { position += 1 }
                guard position < characters.count, characters[position] == character else {
                    matched = false
                    break
                }
                position += 1
            }
            guard matched else { return byScript(words) }
            cursor = position
            blanks.append(hasBlank)
        }
        return blanks
    }

    private static func byScript(_ words: [String]) -> [Bool] {
        words.indices.map { index in
            guard index > 0, let last = words[index - 1].last, let first = words[index].first else { return true }
            let areUnspaced = [last, first].allSatisfy { isWide($0) || CaptionLanguage.isUnspaced($0) }
            // Hangul is wide and has blanks.
            return !areUnspaced || CaptionLanguage.guess([last, first]) == "ko"
        }
    }

    private static func ordered(_ words: [Caption.Word]) -> [Caption.Word] {
        var words = words
        for index in words.indices {
            if index > 0 { words[index].start = max(words[index].start, words[index - 1].start) }
            words[index].end = max(words[index].end, words[index].start)
            if index > 0 { words[index - 1].end = min(words[index - 1].end, words[index].start) }
        }
        return words
    }

    /// Without blanks around it; empty where there is nothing to see.
    private static func trimmed(_ text: String) -> String {
        let visible = text.filter { $0 != "\u{FEFF}" && !($0.isNewline) && $0 != "\0" }
        let isSeen = visible.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .spaceSeparator: false
            default: true
            }
        }
        guard isSeen else { return "" }
        return String(visible.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
