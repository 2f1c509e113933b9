/// Finds the name somebody probably meant.
enum NearestName {
    /// The entry of `names` with the fewest edits to `name` (Levenshtein, case ignored); "" if there are none.
    static func of(_ name: String, in names: [String]) -> String {
        let wanted = Array(name.lowercased().unicodeScalars.prefix(64))
        return names.min { distance(wanted, $0) < distance(wanted, $1) } ?? ""
    }

    private static func distance(_ wanted: [Unicode.Scalar], _ candidate: String) -> Int {
        let other = Array(candidate.lowercased().unicodeScalars)
        var row = Array(0...other.count)
        for (i, scalar) in wanted.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in other.indices {
                let substituted = diagonal + (scalar == other[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[other.count]
    }
}
