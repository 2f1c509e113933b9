import Testing

@testable import Transfer

@Suite struct S3ChecksumTests {
    /// RFC 3720, appendix B.4, whose bytes are in the order of the wire.
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), [0x8A, 0x91, 0x36, 0xAA]),
            ([UInt8](repeating: 0xFF, count: 32), [0x62, 0xA8, 0xAB, 0x43]),
            (Array(0..<32), [0x46, 0xDD, 0x79, 0x4E]), (Array("123456789".utf8), [0xE3, 0x06, 0x92, 0x83]),
            ([], [0, 0, 0, 0]),
        ] as [([UInt8], [UInt8])]) func `CRC32C of known bytes`(_ bytes: [UInt8], _ sum: [UInt8])
    {
        #expect(CRC32C.of(bytes) == sum)
    }

    @Test func `CRC32C does not depend on where the bytes are cut`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 3) }
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            var sum = CRC32C()
            sum.update(Array(bytes[..<cut]))
            sum.update(Array(bytes[cut...]))
            #expect(sum.bytes == CRC32C.of(bytes), "cut at \(cut)")
        }
    }

    @Test func `the ETag of parts is the MD5 of their MD5s`() {
        let parts = ["aaa", "bb"].enumerated().map {
            UploadedPart(
                number: $0 + 1, etag: ETag(md5: Array($1.utf8)), size: Int64($1.utf8.count),
                checksum: .of(Array($1.utf8), .crc32c))
        }
        // md5(md5("aaa") + md5("bb")), by Python's hashlib.
        #expect(ETag(of: parts)?.rawValue == "\"b9975d734c52a2de0f970f525cb96ad3-2\"")
        let sum = ObjectChecksum.composite(of: parts)
        #expect(sum?.parts == 2)
        #expect(sum?.bytes == CRC32C.of(CRC32C.of(Array("aaa".utf8)) + CRC32C.of(Array("bb".utf8))))
        #expect(ETag(of: [UploadedPart(number: 1, etag: ETag(rawValue: "\"opaque\""), size: 1)]) == nil)
    }

    @Test func `checksums of headers`() {
        #expect(ObjectChecksum.crc32c("4waSgw==") == ObjectChecksum(.crc32c, [0xE3, 0x06, 0x92, 0x83]))
        #expect(ObjectChecksum.crc32c("4waSgw==-3") == ObjectChecksum(.crc32c, [0xE3, 0x06, 0x92, 0x83], parts: 3))
        #expect(ObjectChecksum.crc32c("4waSgw==-x") == nil)
        #expect(ObjectChecksum.crc32c("AAAA") == nil)
        #expect(ObjectChecksum.crc32c(nil) == nil)
    }
}
