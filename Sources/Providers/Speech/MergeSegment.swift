import MediaKit

/// A word, or what stands for one, with the text that belongs to it.
struct MergeToken {
    /// As it stands in the text, with the blanks before it.
    var raw: String
    /// Letters and digits alone, in small letters.
    var key: String
    var start: Double
    var end: Double
    /// `nil` where there are no times of words: those of the token are estimated then.
    var word: Transcript.Word?

    var middle: Double { (start + end) / 2 }
}

/// A segment in tokens, some of which may be cut off.
struct MergeSegment {
    private var segment: Transcript.Segment
    private(set) var tokens: [MergeToken]
    /// Whether its times are those of words.
    let isTimed: Bool
    private(set) var isCutAtStart = false
    private var isChanged = false

    init(_ segment: Transcript.Segment) {
        self.segment = segment
        isTimed = !segment.words.isEmpty
        tokens = isTimed ? Self.timed(segment) : Self.estimated(segment)
    }

    var speaker: String? {
        get { segment.speaker }
        set { segment.speaker = newValue }
    }
    var start: Double { isChanged ? tokens.first?.start ?? segment.start : segment.start }
    var end: Double { isChanged ? tokens.last?.end ?? segment.end : segment.end }

    /// Whether the text ends as sentences do.
    var endsSentence: Bool {
        guard let last = tokens.last?.raw.last(where: { !"\"'”’»)]".contains($0) }) else { return false }
        return ".?!…。？！".contains(last)
    }

    mutating func keep(_ range: Range<Int>) {
        guard range != 0..<tokens.count else { return }
        if range.lowerBound > 0 { isCutAtStart = true }
        tokens = Array(tokens[range])
        isChanged = true
    }

    mutating func append(_ other: MergeSegment) {
        tokens += other.tokens
        isChanged = true
        if let own = segment.confidence, let added = other.segment.confidence {
            segment.confidence = min(own, added)
        } else {
            segment.confidence = nil
        }
    }

    /// `nil` if nothing is left of it.
    var rebuilt: Transcript.Segment? {
        guard isChanged else { return segment }
        guard !tokens.isEmpty else { return nil }
        var segment = segment
        segment.start = start
        segment.end = max(end, segment.start)
        segment.text = String(tokens.map(\.raw).joined().drop(while: \.isWhitespace))
        segment.words = tokens.compactMap(\.word)
        return segment
    }

    // MARK: Tokens

    private static func timed(_ segment: Transcript.Segment) -> [MergeToken] {
        var rest = segment.text[...]
        return segment.words.map { word in
            var raw = " " + word.text
            // With the blanks, or none, that the text has before it.
            if let place = rest.firstRange(of: word.text), rest[..<place.lowerBound].allSatisfy(\.isWhitespace) {
                raw = String(rest[..<place.upperBound])
                rest = rest[place.upperBound...]
            }
            return MergeToken(
                raw: raw, key: TokenAlignment.key(word.text), start: word.start, end: word.end, word: word)
        }
    }

    /// Words of the text, each as long as its share of the letters.
    private static func estimated(_ segment: Transcript.Segment) -> [MergeToken] {
        var raws: [String] = []
        var current = ""
        for character in segment.text {
            let isBreak = character.isWhitespace ? current.last?.isWhitespace == false : false
            let isOwn = character.isLetter && isUnspaced(character) && !current.allSatisfy(\.isWhitespace)
            if isBreak || isOwn {
                raws.append(current)
                current = ""
            }
            current.append(character)
        }
        if current.contains(where: { !$0.isWhitespace }) { raws.append(current) }
        let total = Double(max(1, raws.reduce(0) { $0 + $1.count }))
        var position = segment.start
        return raws.map { raw in
            let length = (segment.end - segment.start) * Double(raw.count) / total
            defer { position += length }
            return MergeToken(
                raw: raw, key: TokenAlignment.key(raw), start: position, end: position + length, word: nil)
        }
    }

    /// Scripts that write no blanks between words.
    static func isUnspaced(_ character: Character) -> Bool {
        guard let scalar = character.unicodeScalars.first?.value else { return false }
        return switch scalar {
        // Thai and Lao, Myanmar, Khmer; kana and CJK; CJK beyond the first plane.
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF: true
        case 0x3040...0x30FF, 0x3400...0x9FFF, 0xF900...0xFAFF: true
        case 0x20000...0x3FFFF: true
        default: false
        }
    }
}
