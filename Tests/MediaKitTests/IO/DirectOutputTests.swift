import ByteIO
import Testing

@testable import MediaKit

@Suite("Writing as a muxer does")
struct DirectOutputTests {
    private func written(_ writes: [([UInt8], Int64)]) throws -> [UInt8] {
        let sink = MemorySink()
        let output = DirectOutput(sink)
        for (bytes, position) in writes { try output.write(bytes, at: position) }
        #expect(try output.finish().isEmpty)
        try sink.finish()
        let bytes = try #require(sink.bytes)
        #expect(output.size == Int64(bytes.count))
        return bytes
    }

    @Test func `appends at the end, overwrites before it, does both across it, and fills gaps with zeros`() throws {
        #expect(try written([([1, 2], 0), ([3], 2)]) == [1, 2, 3])
        #expect(try written([([1, 2, 3], 0), ([9], 1), ([4], 3)]) == [1, 9, 3, 4])
        #expect(try written([([1, 2, 3], 0), ([7, 8, 9], 2)]) == [1, 2, 7, 8, 9])
        #expect(try written([([1], 0), ([5], 4), ([2], 1)]) == [1, 2, 0, 0, 5])
        #expect(try written([([], 7)]) == [])
        #expect(try written([([1], 200_000)]) == [UInt8](repeating: 0, count: 200_000) + [1])
    }

    @Test(
        "Going back beyond the head that a sink can rewrite is an I/O error that says so",
        arguments: [
            (Int64(4), "cannot go back to byte 3 of the output: only its first 4 bytes can be written again"),
            (Int64(0), "cannot go back to byte 3 of the output: nothing in it can be written again"),
        ])
    func limitedHead(head: Int64, message: String) throws {
        let output = DirectOutput(MemorySink(name: "somewhere", rewritableHead: head))
        try output.write([1, 2, 3, 4, 5, 6], at: 0)
        let error = #expect(throws: MediaError.self) { try output.write([7, 8], at: 3) }
        #expect(error?.code == .io)
        #expect(error?.message == message)
        #expect(error?.input == "somewhere")
        if head > 0 { try output.write([7], at: 3) }
    }

    @Test func `impossible positions are errors`() throws {
        for position in [-1, Int64.max, Int64.max - 1, DirectOutput.widestGap + 1] {
            for output in [DirectOutput(MemorySink()), ProgressiveMovieOutput(MemorySink(), reservedIndexBytes: 9)]
                as [any MuxerOutput]
            {
                let error = #expect(throws: MediaError.self) { try output.write([1, 2], at: position) }
                #expect(error?.code == .io)
            }
        }
    }
}
