/// Decoding that refuses keys it does not know: a misspelt setting must not be silently without effect.
extension Swift.Decoder {
    /// - Parameter others: keys that somebody else reads.
    func strictContainer<Keys: CodingKey & CaseIterable>(
        _ type: Keys.Type, besides others: Set<String> = []
    ) throws -> KeyedDecodingContainer<Keys> {
        let known = Set(Keys.allCases.map(\.stringValue))
        let all = try container(keyedBy: AnyKey.self)
        for key in all.allKeys where !known.contains(key.stringValue) && !others.contains(key.stringValue) {
            let nearest = known.min { distance($0, key.stringValue) < distance($1, key.stringValue) }
            let suggestion = nearest.map { "; did you mean \"\($0)\"?" } ?? ""
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath + [key], debugDescription: "unknown key \"\(key.stringValue)\"\(suggestion)")
            )
        }
        return try container(keyedBy: Keys.self)
    }
}

private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// Levenshtein's edit distance.
private func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.lowercased()), b = Array(b.lowercased())
    var row = Array(0...b.count)
    for i in 0..<a.count {
        var previous = row[0]
        row[0] = i + 1
        for j in 0..<b.count {
            let substitution = previous + (a[i] == b[j] ? 0 : 1)
            previous = row[j + 1]
            row[j + 1] = min(substitution, previous + 1, row[j] + 1)
        }
    }
    return row[b.count]
}
