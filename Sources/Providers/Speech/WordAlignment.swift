import MediaKit

/// Gives words that have times the punctuation of the text that has none.
///
/// Services list words bare ("dont", "well") beside the text as it is written ("Don't! Well,"). Letters and digits of
/// both are walked through together.
enum WordAlignment {
    /// The segments with their words.
    ///
    /// - Parameters:
    ///   - segments: with the text as it is to be shown. Their words are ignored.
    ///   - words: in order, of all segments.
    /// - Returns: `nil` if less than half of the words are found in the text.
    static func aligned(_ segments: [Transcript.Segment], with words: [Transcript.Word]) -> [Transcript.Segment]? {
        var letters: [Letter] = []
        for (number, segment) in segments.enumerated() {
            var begins = true
            for index in segment.text.indices {
                let character = segment.text[index]
                let own = TokenAlignment.letters(character)
                begins = begins || MergeSegment.isUnspaced(character)
                for letter in own {
                    letters.append(Letter(letter: letter, segment: number, index: index, beginsWord: begins))
                    begins = false
                }
                if own.isEmpty { begins = true }
            }
        }
        var found: [[Found]] = Array(repeating: [], count: segments.count)
        var cursor = 0
        var count = 0
        for word in words {
            let wanted = word.text.flatMap(TokenAlignment.letters)
            guard !wanted.isEmpty else {
                count += 1
                continue
            }
            // A recogniser may have left out some of either.
            let last = min(cursor + 60, letters.count - wanted.count)
            guard cursor <= last,
                // What was left out must not have it found within another word: "an" in "man".
                let start = (cursor...last).first(where: { start in
                    (start == cursor || letters[start].beginsWord)
                        && zip(letters[start...], wanted).allSatisfy { $0.letter == $1 }
                })
            else { continue }
            count += 1
            let (first, end) = (letters[start], letters[start + wanted.count - 1])
            cursor = start + wanted.count
            let upper =
                end.segment == first.segment ? end.index : segments[first.segment].text.indices.last ?? end.index
            found[first.segment].append(Found(word: word, range: first.index...upper))
        }
        guard count * 2 >= words.count else { return nil }
        return zip(segments, found).map { segment, found in
            var segment = segment
            segment.words = written(segment, found)
            return segment
        }
    }

    private struct Letter {
        /// A small one, or a digit.
        var letter: Character
        var segment: Int
        var index: String.Index
        /// Whether what is before it is no letter, or the script writes no blanks.
        var beginsWord: Bool
    }

    private struct Found {
        var word: Transcript.Word
        var range: ClosedRange<String.Index>
    }

    /// The pieces of the text between blanks, with the times of what was found in them; those in which nothing was found
    /// share the time between their neighbours.
    private static func written(_ segment: Transcript.Segment, _ found: [Found]) -> [Transcript.Word] {
        guard !found.isEmpty else { return [] }
        let text = segment.text
        var words: [Transcript.Word] = []
        var unfound: [Int] = []
        var next = 0
        for piece in text.split(whereSeparator: \.isWhitespace) {
            var own: [Found] = []
            while next < found.count, found[next].range.lowerBound < piece.endIndex {
                own.append(found[next])
                next += 1
            }
            let hasLetters = piece.contains { $0.isLetter || $0.isNumber }
            if own.isEmpty, !hasLetters, !words.isEmpty {
                // A dash by itself.
                words[words.count - 1].text += " " + piece
                continue
            }
            if own.isEmpty {
                unfound.append(words.count)
                words.append(Transcript.Word(start: .nan, end: .nan, text: String(piece)))
                continue
            }
            // Several in one piece: "twenty-five", or a script without blanks.
            var start = piece.startIndex
            for (index, part) in own.enumerated() {
                let end = index + 1 < own.count ? own[index + 1].range.lowerBound : piece.endIndex
                var word = part.word
                let opening = text[start..<min(end, piece.endIndex)]
                word.text = String(opening)
                words.append(word)
                start = max(start, min(end, piece.endIndex))
            }
        }
        fill(&words, unfound, segment)
        return words
    }

    private static func fill(_ words: inout [Transcript.Word], _ unfound: [Int], _ segment: Transcript.Segment) {
        var index = 0
        while index < unfound.count {
            var last = index
            while last + 1 < unfound.count, unfound[last + 1] == unfound[last] + 1 { last += 1 }
            let run = unfound[index]...unfound[last]
            let before = run.lowerBound > 0 ? words[run.lowerBound - 1].end : segment.start
            let after = run.upperBound + 1 < words.count ? words[run.upperBound + 1].start : segment.end
            let length = max(0, after - before) / Double(run.count)
            for (number, word) in run.enumerated() {
                words[word].start = before + Double(number) * length
                words[word].end = before + Double(number + 1) * length
            }
            index = last + 1
        }
    }

    /// Sentences of a text whose words have times.
    ///
    /// - Parameter text: as it is to be shown; empty to write the words one after the other.
    static func segments(of words: [Transcript.Word], text: String) -> [Transcript.Segment] {
        guard let first = words.first, let last = words.last else { return [] }
        let joined = words.map(\.text).joined(separator: " ")
        let whole = Transcript.Segment(start: first.start, end: max(first.start, last.end), text: text)
        var aligned = text.isEmpty ? nil : WordAlignment.aligned([whole], with: words)?.first
        if aligned == nil {
            aligned = whole
            aligned?.text = joined
            aligned?.words = words
        }
        guard let aligned else { return [] }
        var segments: [Transcript.Segment] = []
        var rest = aligned.text[...]
        var current: [Transcript.Word] = []
        var currentText = ""
        func close() {
            guard let first = current.first, let last = current.last else { return }
            segments.append(
                Transcript.Segment(
                    start: first.start, end: max(first.start, last.end), text: currentText.trimmed, words: current))
            current = []
            currentText = ""
        }
        for word in aligned.words {
            if let before = current.last, let begun = current.first,
                before.text.hasSentenceEnd || word.start - before.end > 1 || word.end - begun.start > 15
            {
                close()
            }
            if let place = rest.firstRange(of: word.text) {
                currentText += rest[..<place.upperBound]
                rest = rest[place.upperBound...]
            } else {
                currentText += " " + word.text
            }
            current.append(word)
        }
        close()
        return segments
    }
}

extension TokenAlignment {
    /// What a character says when words are compared; nothing for punctuation.
    static func letters(_ character: Character) -> [Character] {
        character.isLetter || character.isNumber ? Array(character.lowercased()) : []
    }
}

extension String {
    /// Whether it ends as sentences do, quotes and brackets aside.
    var hasSentenceEnd: Bool {
        guard let last = last(where: { !"\"'”’»)]".contains($0) }) else { return false }
        return ".?!…。？！".contains(last)
    }
}
