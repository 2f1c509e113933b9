import ByteIO
import Testing

@testable import MediaKit

/// Writes a movie in the order and with the seeks of libav's mov muxer, through the position-keeping of an AVIO bridge.
struct FakeMuxer {
    let output: any MuxerOutput
    private var position: Int64 = 0

    init(_ output: any MuxerOutput) {
        self.output = output
    }

    mutating func seek(_ position: Int64) { self.position = position }

    mutating func write(_ bytes: [UInt8]) throws {
        try output.write(bytes, at: position)
        position += Int64(bytes.count)
    }

    /// Writes in flushes of `flush` bytes, as a full AVIO buffer would be.
    mutating func write(_ bytes: some Collection<UInt8>, flush: Int) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            try write(Array(rest.prefix(flush)))
            rest = rest.dropFirst(flush)
        }
    }

    /// Replays a movie that has its index at the end: the size of the media is written when it is complete.
    ///
    /// - Parameter flush: bytes per write, or `nil` for all at once, sizes in place, as from a buffer larger than
    ///   the file.
    mutating func replay(_ file: [UInt8], flush: Int?) throws {
        guard let flush else { return try write(file) }
        guard let media = TestBoxes.list(file).first(where: { $0.type == "mdat" }) else { return }
        try write(file[..<media.start], flush: flush)
        try write([0, 0, 0, 0] + file[media.start + 4..<media.start + 8], flush: flush)
        try write(file[media.start + 8..<media.end], flush: flush)
        seek(Int64(media.start))
        try write(Array(file[media.start..<media.start + 4]))
        seek(Int64(media.end))
        for box in TestBoxes.list(file) where box.start >= media.end {
            // A box's size is written behind its content, as `update_size` does.
            try write([0, 0, 0, 0] + file[box.start + 4..<box.end], flush: flush)
            seek(Int64(box.start))
            try write(Array(file[box.start..<box.start + 4]))
            seek(Int64(box.end))
        }
    }
}

extension ProgressiveMovieOutput {
    /// Replays `file` into a memory sink; returns what arrived there and the warnings.
    static func remade(
        _ file: [UInt8], flush: Int? = 32 << 10, reserving reserve: Int, sink: any ByteSink,
        bytes: () -> [UInt8]?
    ) throws -> (file: [UInt8], warnings: [String]) {
        let output = ProgressiveMovieOutput(sink, reservedIndexBytes: reserve)
        var muxer = FakeMuxer(output)
        try muxer.replay(file, flush: flush)
        let warnings = try output.finish()
        try sink.finish()
        let remade = try #require(bytes())
        #expect(output.size == file.count)
        #expect(output.sinkSize == remade.count)
        return (remade, warnings)
    }

    static func remade(
        _ file: [UInt8], flush: Int? = 32 << 10, reserving reserve: Int
    ) throws -> (file: [UInt8], warnings: [String]) {
        let sink = MemorySink()
        return try remade(file, flush: flush, reserving: reserve, sink: sink) { sink.bytes }
    }
}

/// A sink such as an upload: its head can be written again, and nothing of it read back.
final class UploadLikeSink: ByteSink {
    private let memory: MemorySink
    var name: String { memory.name }
    let rewritableHead: Int64
    var bytes: [UInt8]? { memory.bytes }

    init(rewritableHead: Int64) {
        self.rewritableHead = rewritableHead
        memory = MemorySink(name: "upload", rewritableHead: rewritableHead)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try memory.write(bytes) }
    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try memory.rewrite(bytes, at: offset) }
    func finish() throws { try memory.finish() }
    func abort() { memory.abort() }
}
