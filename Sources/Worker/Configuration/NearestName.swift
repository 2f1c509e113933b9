/// What somebody may have meant who wrote a name that does not exist.
enum NearestName {
    /// The one of `names` that takes the fewest changes, if they are few for its length.
    static func to(_ name: String, in names: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(100))
        let nearest = names.map { (name: $0, distance: distance(wanted, Array($0.lowercased().utf8))) }
            .min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(2, wanted.count / 4) else { return nil }
        return nearest.name
    }

    /// Letters to put in, take out, replace, or swap with their neighbour: optimal string alignment. See Damerau, "A
    /// technique for computer detection and correction of spelling errors", 1964.
    static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in 0..<first.count {
            var current = [row + 1]
            for column in 0..<second.count {
                let cost = first[row] == second[column] ? 0 : 1
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }
}
