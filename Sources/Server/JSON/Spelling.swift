/// Guesses what somebody meant to write.
enum Spelling {
    /// `; did you mean "input"?`, or nothing.
    static func suggestion(for name: String?, among names: [String]) -> String {
        guard let name, name.count <= 64 else { return "" }
        let letters = Array(name.lowercased())
        let nearest = names.map { ($0, distance(letters, Array($0.lowercased()))) }.min { $0.1 < $1.1 }
        guard let (candidate, distance) = nearest, distance <= max(1, letters.count / 3) else { return "" }
        return "; did you mean \(candidate.debugDescription)?"
    }

    /// How many letters to insert, remove, replace or swap with their neighbour.
    /// https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance (optimal string alignment)
    static func distance(_ one: [Character], _ other: [Character]) -> Int {
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
