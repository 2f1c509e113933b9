/// How far what was recognised is from what was said: the least number of words to put in, take out or replace, over the
/// number of words said.
///
/// Case and punctuation do not count; numbers stay as they are written, so that "5" is not "five".
public struct WordErrorRate: Sendable, Equatable {
    /// Words said.
    public var words: Int
    public var substitutions: Int
    public var deletions: Int
    public var insertions: Int

    public var errors: Int { substitutions + deletions + insertions }
    /// May be more than 1; of no words said, 0 or the number of insertions.
    public var rate: Double { Double(errors) / Double(max(words, 1)) }

    public init(of recognised: String, against said: String) {
        let (recognised, said) = (Self.normalised(recognised), Self.normalised(said))
        words = said.count
        struct Cost {
            var substitutions = 0
            var deletions = 0
            var insertions = 0
            /// Of as many errors those count that leave more words as they were said: one left out and one put in, not two
            /// replaced. NIST's sclite tells them apart likewise, by weights.
            func isLess(than other: Self) -> Bool { (sum, substitutions) < (other.sum, other.substitutions) }
            private var sum: Int { substitutions + deletions + insertions }
        }
        // Levenshtein's distance, one row at a time.
        var row = (0...recognised.count).map { Cost(insertions: $0) }
        for (index, word) in said.enumerated() {
            var next = [Cost(deletions: index + 1)]
            for (column, heard) in recognised.enumerated() {
                var best = row[column]
                if heard != word { best.substitutions += 1 }
                var deleted = row[column + 1]
                deleted.deletions += 1
                if deleted.isLess(than: best) { best = deleted }
                var inserted = next[column]
                inserted.insertions += 1
                if inserted.isLess(than: best) { best = inserted }
                next.append(best)
            }
            row = next
        }
        let cost = row[recognised.count]
        (substitutions, deletions, insertions) = (cost.substitutions, cost.deletions, cost.insertions)
    }

    /// Words in small letters, without punctuation but for the apostrophe within a word.
    static func normalised(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        func end() {
            while word.hasSuffix("'") { word.removeLast() }
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for character in text.lowercased() {
            if character.isLetter || character.isNumber {
                word.append(character)
            } else if character == "'" || character == "’", !word.isEmpty {
                word.append("'")
            } else {
                end()
            }
        }
        end()
        return words
    }
}
