package import Foundation

/// JSON as bytes, untouched: what goes into a `json` or `jsonb` and comes out of it.
///
/// A payload stays bytes until its handler decodes it.
package struct PostgresJSON: Sendable, Hashable {
    /// UTF-8.
    package var bytes: Data

    /// Nothing is checked: the server refuses what is not JSON.
    package init(_ bytes: Data) { self.bytes = bytes }
    /// Nothing is checked, likewise.
    package init(_ text: String) { bytes = Data(text.utf8) }
    /// - Throws: the encoder's error.
    package init(encoding value: some Encodable, with encoder: JSONEncoder = JSONEncoder()) throws {
        bytes = try encoder.encode(value)
    }

    /// - Throws: the decoder's error.
    package func decode<T: Decodable>(_ type: T.Type = T.self, with decoder: JSONDecoder = JSONDecoder()) throws -> T {
        try decoder.decode(type, from: bytes)
    }

    /// The JSON as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}
