/// The few Matroska elements that a clip made by the tests needs (RFC 9559).
enum MatroskaBytes {
    /// An element: its identifier, its size in eight bytes, its contents.
    static func element(_ id: UInt32, _ contents: [UInt8]) -> [UInt8] {
        var bytes = identifier(id)
        bytes += size(contents.count)
        bytes += contents
        return bytes
    }

    static func element(_ id: UInt32, _ value: Int) -> [UInt8] {
        element(id, bigEndian(UInt64(bitPattern: Int64(value))))
    }
    static func element(_ id: UInt32, _ value: Double) -> [UInt8] { element(id, bigEndian(value.bitPattern)) }
    static func element(_ id: UInt32, _ text: String) -> [UInt8] { element(id, Array(text.utf8)) }
    static func element(_ id: UInt32, _ parts: [[UInt8]]) -> [UInt8] {
        var contents: [UInt8] = []
        contents.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        for part in parts { contents += part }
        return element(id, contents)
    }

    private static func identifier(_ id: UInt32) -> [UInt8] {
        Array(bigEndian(UInt64(id)).drop { $0 == 0 })
    }

    private static func size(_ count: Int) -> [UInt8] {
        var bytes = bigEndian(UInt64(count))
        bytes[0] = 0x01
        return bytes
    }

    static func bigEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
    }
}
