import Foundation

// Ids in JSON are written as Postgres writes them, in lower case, so that they can be searched for as they are.
// `Codable` conformances that the compiler makes in this module take these methods for their ids.
extension KeyedEncodingContainer {
    mutating func encode(_ value: UUID, forKey key: Key) throws {
        try encode(value.uuidString.lowercased(), forKey: key)
    }

    mutating func encodeIfPresent(_ value: UUID?, forKey key: Key) throws {
        try encodeIfPresent(value?.uuidString.lowercased(), forKey: key)
    }

    mutating func encodeIfPresent(_ value: [UUID]?, forKey key: Key) throws {
        try encodeIfPresent(value?.map { $0.uuidString.lowercased() }, forKey: key)
    }

    mutating func encode(_ value: [String: UUID], forKey key: Key) throws {
        try encode(value.mapValues { $0.uuidString.lowercased() }, forKey: key)
    }
}
