/// What the punctuation at a word's end says about a break after it.
enum CaptionPunctuation {
    case sentence
    case clause
    case none

    static func end(of word: String) -> CaptionPunctuation {
        var rest = word[...]
        while let last = rest.last, closing.contains(last) { rest = rest.dropLast() }
        guard let last = rest.last else { return .none }
        if clauseEnds.contains(last) { return .clause }
        guard sentenceEnds.contains(last) else { return .none }
        if last == ".", isAbbreviation(rest.dropLast()) { return .none }
        return .sentence
    }

    /// "Mr", "e.g", a single letter.
    private static func isAbbreviation(_ word: Substring) -> Bool {
        let plain = word.drop { opening.contains($0) }
        if plain.count == 1, plain.first?.isLetter == true, plain != "I" { return true }
        return abbreviations.contains(plain.lowercased())
    }

    private static let sentenceEnds: Set<Character> = [".", "!", "?", "…", "。", "！", "？", "؟", "۔", "।", "‼", "⁉"]
    private static let clauseEnds: Set<Character> = [
        ",", ";", ":", "–", "—", "،", "؛", "、", "，", "；", "：", "･", "·",
    ]
    private static let closing: Set<Character> = ["\"", "'", "”", "’", "»", ")", "]", "」", "』", "）", "】", "♪", "*"]
    private static let opening: Set<Character> = ["\"", "'", "“", "‘", "«", "(", "[", "¿", "¡"]
    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "inc", "ltd", "jr", "sr", "e.g", "i.e", "a.m", "p.m", "u.s",
        "u.k", "etc", "approx", "hr", "fr", "nr", "z.b", "d.h", "bzw", "ca", "usw", "mme", "m", "sra", "ud", "p.ej",
    ]
}
