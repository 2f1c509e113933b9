import ByteIO
import Testing

@testable import MediaKit

/// A sink for terabytes: it keeps the first and the last bytes, and only counts those between.
private final class SparseSink: ByteSink {
    let name = "sparse"
    let rewritableHead: Int64
    private let head: MemorySink
    private let tail: MemorySink
    // Used by one thread at a time, as every sink is.
    nonisolated(unsafe) private(set) var size: Int64 = 0
    private let tailStart: Int64

    init(head: Int64, tailStart: Int64) {
        rewritableHead = head
        self.head = MemorySink()
        self.tail = MemorySink()
        self.tailStart = tailStart
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let inHead = Int(min(max(0, rewritableHead - size), Int64(bytes.count)))
        try head.write(UnsafeRawBufferPointer(rebasing: bytes[..<inHead]))
        let beforeTail = Int(min(max(0, tailStart - size), Int64(bytes.count)))
        try tail.write(UnsafeRawBufferPointer(rebasing: bytes[beforeTail...]))
        size += Int64(bytes.count)
    }

    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try head.rewrite(bytes, at: offset) }

    func finish() throws {
        try head.finish()
        try tail.finish()
    }

    func abort() {}

    var headBytes: [UInt8] { head.bytes ?? [] }
    var tailBytes: [UInt8] { tail.bytes ?? [] }
}

@Suite("A movie of 4 GiB")
struct LargeMovieTests {
    /// Writes a movie with `media` bytes of media and chunks at `offsets`, without ever holding it.
    private func make(media: Int64, offsets: [[Int]], reserve: Int, sink: SparseSink) throws -> [String] {
        let output = ProgressiveMovieOutput(sink, reservedIndexBytes: reserve)
        var muxer = FakeMuxer(output)
        let headStart = Int64(TestMovie.fileType.count)
        try muxer.write(TestMovie.fileType + TestMovie.box("free", []) + [0, 0, 0, 0] + Array("mdat".utf8))
        let block = [UInt8](repeating: 0, count: 16 << 20)
        var left = media
        while left > 0 {
            try muxer.write(left < Int64(block.count) ? Array(block.prefix(Int(left))) : block)
            left -= Int64(block.count)
        }
        if media + 8 > Int64(UInt32.max) {
            muxer.seek(headStart)
            try muxer.write(
                TestMovie.bigEndian(1, 4) + Array("mdat".utf8) + TestMovie.bigEndian(Int(media) + 16, 8))
        } else {
            muxer.seek(headStart + 8)
            try muxer.write(TestMovie.bigEndian(Int(media) + 8, 4))
        }
        muxer.seek(headStart + 16 + media)
        try muxer.write(TestMovie.index(offsets))
        let warnings = try output.finish()
        try sink.finish()
        return warnings
    }

    @Test("widens just those tables that the move takes past it")
    func widensTables() throws {
        let limit = Int(UInt32.max)
        let reserve = 1000
        let offsets = [[40, 5000], [100, limit - reserve + 1, 200], [300, limit - reserve]]
        let sink = SparseSink(head: 8 << 20, tailStart: .max)
        let warnings = try make(media: Int64(limit) - 500, offsets: offsets, reserve: reserve, sink: sink)
        #expect(warnings.isEmpty)
        let result = Array(sink.headBytes.prefix(TestMovie.fileType.count + reserve))
        #expect(TestBoxes.types(result) == ["ftyp", "moov", "free"])
        #expect(TestBoxes.chunkOffsets(result) == offsets.map { $0.map { $0 + reserve } })
        let path = ["moov", "trak", "mdia", "minf", "stbl"]
        #expect(TestBoxes.find(result, path + ["stco"]).count == 2)
        #expect(TestBoxes.find(result, path + ["co64"]).count == 1)
        #expect(sink.size == Int64(TestMovie.fileType.count + reserve + 16) + Int64(limit) - 500)
    }

    @Test("has a 64-bit media size in its place behind the index")
    func wideMedia() throws {
        let media: Int64 = 4 << 30
        let sink = SparseSink(head: 8 << 20, tailStart: .max)
        let offsets = [[40, 4_000_000_000], [4_294_967_000]]
        #expect(try make(media: media, offsets: offsets, reserve: 2000, sink: sink).isEmpty)
        let head = sink.headBytes
        let start = TestMovie.fileType.count + 2000
        #expect(TestBoxes.number(head, start, 4) == 1)
        #expect(Array(head[start + 4..<start + 8]) == Array("mdat".utf8))
        #expect(TestBoxes.number(head, start + 8, 8) == Int(media) + 16)
        #expect(
            TestBoxes.chunkOffsets(Array(head[..<start])) == offsets.map { $0.map { $0 + 2000 } })
    }

    @Test("keeps a widened index at the end where the reserved room does not take it")
    func widenedAtEnd() throws {
        let limit = Int(UInt32.max)
        let offsets = [[100, 200, limit - 10], [300, 400, limit - 300]]
        // Just enough room for the index as the muxer wrote it: not for what it is when widened.
        let reserve = TestMovie.index(offsets).count
        let media = Int64(limit) - 500
        let tailStart = Int64(TestMovie.fileType.count + 16 + reserve) + media
        let sink = SparseSink(head: 8 << 20, tailStart: tailStart)
        let warnings = try make(media: media, offsets: offsets, reserve: reserve, sink: sink)
        #expect(warnings.count == 1)
        #expect(TestBoxes.types(sink.tailBytes) == ["moov"])
        #expect(TestBoxes.chunkOffsets(sink.tailBytes) == offsets.map { $0.map { $0 + reserve } })
    }
}
