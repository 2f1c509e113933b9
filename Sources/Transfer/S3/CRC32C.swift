/// The cyclic redundancy check of Castagnoli, as S3 takes it: RFC 3720, appendix B.4.
package struct CRC32C: Sendable, Hashable {
    private var state: UInt32 = 0xFFFF_FFFF

    /// Of no bytes so far.
    package init() {}

    /// 4 bytes, the most significant first.
    package var bytes: [UInt8] {
        let value = ~state
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Takes in the next bytes.
    package mutating func update(_ bytes: [UInt8]) {
        var crc = state
        bytes.withUnsafeBytes { bytes in
            Self.tables.withUnsafeBufferPointer { table in
                var position = 0
                // Eight bytes at a time, each with a table of its own ("slicing by 8").
                while position + 8 <= bytes.count {
                    let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)) ^ crc
                    let high = UInt32(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
                    var next: UInt32 = 0
                    for byte in 0..<4 {
                        next ^= table[(7 - byte) << 8 | Int(low >> (8 * UInt32(byte)) & 0xFF)]
                        next ^= table[(3 - byte) << 8 | Int(high >> (8 * UInt32(byte)) & 0xFF)]
                    }
                    crc = next
                    position += 8
                }
                while position < bytes.count {
                    crc = table[Int((crc ^ UInt32(bytes[position])) & 0xFF)] ^ crc >> 8
                    position += 1
                }
            }
        }
        state = crc
    }

    /// The checksum of `bytes` as 4 bytes, the most significant first.
    package static func of(_ bytes: [UInt8]) -> [UInt8] {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.bytes
    }

    /// Eight tables of 256: entry `t · 256 + b` is what byte `b` becomes with `t` zeros behind it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 << 8)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
            tables[byte] = value
        }
        for index in 256..<(8 << 8) {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ before >> 8
        }
        return tables
    }()
}
