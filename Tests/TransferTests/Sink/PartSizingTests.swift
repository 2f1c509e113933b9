import Testing

@testable import Transfer

@Suite struct PartSizingTests {
    private func size(
        expected: Int64?, part: Int64 = 16 << 20, limits: MultipartLimits = MultipartLimits()
    ) throws -> PartSizing {
        try PartSizing(UploadOptions(expectedSize: expected, partSize: part), limits: limits, name: "s3://b/k")
    }

    @Test func `parts are as large as asked for, unless that is too small`() throws {
        #expect(try size(expected: nil).partSize == 16 << 20)
        #expect(try size(expected: 100 << 30).partSize == 16 << 20)
        #expect(try size(expected: nil, part: 1).partSize == 5 << 20)
    }

    @Test func `a large object gets larger parts, up front`() throws {
        for expected: Int64 in [160 << 30, 1 << 40, 3 << 40, 4 << 40] {
            let sizing = try size(expected: expected)
            #expect(sizing.partSize % (1 << 20) == 0)
            // And room for a little more than was expected.
            #expect(sizing.largestObject >= expected + expected / 10)
            #expect(sizing.largestObject < expected * 2)
        }
    }

    @Test func `what no parts hold is refused`() throws {
        let error = #expect(throws: TransferError.self) { try size(expected: 60 << 40) }
        #expect(error?.code == .tooLarge)
        _ = try size(expected: .max / 2, limits: MultipartLimits(largestPart: .max))
    }
}
