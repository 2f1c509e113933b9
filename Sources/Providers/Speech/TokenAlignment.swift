/// Which words of two lists are the same ones, heard twice.
enum TokenAlignment {
    /// What is compared of a word: its letters and digits, in small letters. All of it where it has none.
    static func key(_ text: String) -> String {
        let key = String(text.lowercased().filter { $0.isLetter || $0.isNumber })
        return key.isEmpty ? String(text.filter { !$0.isWhitespace }) : key
    }

    /// The common subsequence of the largest weight: two equal words weigh the more the nearer their times are, so that
    /// of a repeated word the right one is found.
    ///
    /// - Parameter tolerance: seconds from which on two words cannot be the same one.
    /// - Returns: pairs of indices, both ascending.
    static func pairs(_ left: [MergeToken], _ right: [MergeToken], tolerance: Double) -> [(Int, Int)] {
        guard !left.isEmpty, !right.isEmpty else { return [] }
        let width = right.count + 1
        // The best weight of what is left of each pair of places, from the back.
        var best = [Double](repeating: 0, count: (left.count + 1) * width)
        func weight(_ i: Int, _ j: Int) -> Double {
            let distance = abs(left[i].middle - right[j].middle) / tolerance
            guard distance < 1, left[i].key == right[j].key else { return 0 }
            return (1 - distance) * (1 - distance)
        }
        for i in left.indices.reversed() {
            for j in right.indices.reversed() {
                let matched = weight(i, j)
                best[i * width + j] = max(
                    best[(i + 1) * width + j], best[i * width + j + 1],
                    matched > 0 ? matched + best[(i + 1) * width + j + 1] : 0)
            }
        }
        var pairs: [(Int, Int)] = []
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            let matched = weight(i, j)
            if matched > 0, best[i * width + j] == matched + best[(i + 1) * width + j + 1] {
                pairs.append((i, j))
                (i, j) = (i + 1, j + 1)
            } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
                i += 1
            } else {
                j += 1
            }
        }
        return pairs
    }
}
