/// Guesses what somebody meant to write.
enum Spelling {
    /// `; did you mean "input"?`, or nothing.
    static func suggestion(for name: String?, among names: [String]) -> String {
        var comparisons = 0
        return suggestion(for: name, among: names, comparisons: &comparisons)
    }

    /// The same, telling what it took. Over the bytes of UTF-8, as names are ASCII nearly always.
    ///
    /// - Parameter comparisons: grows by one for each name that was compared letter by letter.
    static func suggestion(for name: String?, among names: [String], comparisons: inout Int) -> String {
        guard let name, name.utf8.count <= 64 else { return "" }
        let letters = Array(name.lowercased().utf8)
        let most = max(1, letters.count / 3)
        var nearest: String?
        var least = most + 1
        for candidate in names {
            let others = Array(candidate.lowercased().utf8)
            // The distance is this difference at least.
            guard abs(others.count - letters.count) < least else { continue }
            comparisons += 1
            let found = distance(letters, others)
            guard found < least else { continue }
            (nearest, least) = (candidate, found)
        }
        return nearest.map { "; did you mean \($0.debugDescription)?" } ?? ""
    }

    /// How many letters to insert, remove, replace or swap with their neighbour.
    /// https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance (optimal string alignment)
    static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        guard !one.isEmpty, !other.isEmpty else { return max(one.count, other.count) }
        var rows = [Array(0...other.count)]
        for (i, letter) in one.enumerated() {
            var row = [i + 1]
            for (j, match) in other.enumerated() {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == match ? 0 : 1))
                if i > 0, j > 0, letter == other[j - 1], one[i - 1] == match {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}
