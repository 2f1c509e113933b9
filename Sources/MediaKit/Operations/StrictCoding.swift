/// Decoding that refuses keys it does not know: a misspelt setting must not be silently without effect.
extension Swift.Decoder {
    /// - Parameter others: keys that somebody else reads.
    func strictContainer<Keys: CodingKey & CaseIterable>(
        _ type: Keys.Type, besides others: Set<String> = []
    ) throws -> KeyedDecodingContainer<Keys> {
        if let unknown = try unknownKey(besides: Keys.allCases.map(\.stringValue) + others) {
            let nearest = NearestName.of(unknown.stringValue, in: Keys.allCases.map(\.stringValue))
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath + [unknown],
                    debugDescription: "unknown key \"\(unknown.stringValue)\"; did you mean \"\(nearest)\"?"))
        }
        return try container(keyedBy: Keys.self)
    }

    /// The first key here that is not one of `known`.
    func unknownKey(besides known: some Sequence<String>) throws -> (any CodingKey)? {
        let known = Set(known)
        return try container(keyedBy: AnyKey.self).allKeys.first { !known.contains($0.stringValue) }
    }
}

private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
