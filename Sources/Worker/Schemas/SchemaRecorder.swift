import JobQueue

/// Finds out what a type takes, by having it decode itself: whatever key it asks for is a member, by the type that it asks
/// for, and required if it cannot do without. So a schema cannot fall behind the type.
///
/// ```swift
/// let schema = try SchemaRecorder.schema(of: Transcode.self)
/// ```
/// Types that look at what they get while they decode, such as a choice between shapes, say themselves what they are
/// (``SchemaDescribed``). Objects take no other keys than those asked for.
enum SchemaRecorder {
    /// - Throws: what the type throws when it is decoded from nothing: it has to describe itself.
    static func schema(of type: any Decodable.Type) throws -> JSONSchema {
        switch type {
        case is String.Type: return .string
        case is Bool.Type: return .boolean
        case is Int.Type, is Int64.Type: return .integer
        case is Double.Type: return .number
        case is JSONValue.Type: return .any
        case let type as any SchemaDescribed.Type: return try type.schema
        case let type as any CaseIterable.Type: return .names(names(of: type))
        default:
            let recording = Recording(owner: "\(type)")
            _ = try type.init(from: RecordingDecoder(recording: recording))
            return .object(recording.properties, required: recording.required)
        }
    }

    private static func names<T: CaseIterable>(of type: T.Type) -> [String] {
        T.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
    }
}

/// A type that says itself what it is in JSON.
protocol SchemaDescribed: Decodable {
    static var schema: JSONSchema { get throws }
    /// Any value, for a type that cannot be decoded without one.
    static var sample: Self { get }
}

extension Array: SchemaDescribed where Element: Decodable {
    static var schema: JSONSchema { get throws { .array(of: try SchemaRecorder.schema(of: Element.self)) } }
    static var sample: [Element] { [] }
}

/// What one object was asked for.
///
/// Not thread-safe: used while one type decodes itself.
private final class Recording {
    let owner: String
    private(set) var properties: [String: JSONSchema] = [:]
    private(set) var required: [String] = []

    init(owner: String) { self.owner = owner }

    func note(_ key: any CodingKey, _ type: any Decodable.Type, isRequired: Bool) throws {
        let name = key.stringValue
        let schema = try SchemaRecorder.schema(of: type).adding(SchemaNotes.of(name, in: owner))
        properties[name] = isRequired ? schema : schema.orNull
        if isRequired { required.append(name) }
    }
}

private struct NotAnObject: Error {}

private struct RecordingDecoder: Decoder {
    let recording: Recording
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RecordingContainer<Key>(recording: recording))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw NotAnObject() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw NotAnObject() }
}

private struct RecordingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recording: Recording
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }
    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) throws -> Bool { false }

    // What a type cannot do without.
    private func required<T: Decodable>(_ key: Key, _ sample: T) throws -> T {
        try recording.note(key, T.self, isRequired: true)
        return sample
    }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try required(key, false) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try required(key, "") }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try required(key, 0) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { throw NotAnObject() }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try required(key, 0) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { throw NotAnObject() }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { throw NotAnObject() }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { throw NotAnObject() }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try required(key, 0) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { throw NotAnObject() }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { throw NotAnObject() }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { throw NotAnObject() }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { throw NotAnObject() }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { throw NotAnObject() }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        guard let described = type as? any SchemaDescribed.Type, let sample = described.sample as? T else {
            try recording.note(key, type, isRequired: true)
            return try T(from: RecordingDecoder(recording: Recording(owner: "\(type)")))
        }
        return try required(key, sample)
    }

    // What has a default.
    private func optional<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
        try recording.note(key, type, isRequired: false)
        return nil
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try optional(type, key) }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? { try optional(type, key) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw NotAnObject() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw NotAnObject() }
    func superDecoder() throws -> any Decoder { throw NotAnObject() }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw NotAnObject() }
}
