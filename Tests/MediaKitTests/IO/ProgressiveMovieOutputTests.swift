import ByteIO
import Testing

@testable import MediaKit

@Suite("An index in front of the media")
struct ProgressiveMovieOutputTests {
    /// The size of the index of `file`, as it is.
    private func indexSize(_ file: [UInt8]) -> Int {
        TestBoxes.list(file).first { $0.type == "moov" }.map { $0.end - $0.start } ?? 0
    }

    @Test("goes into the room that was kept for it", arguments: [1, 7, 64, 4096, nil])
    func fits(flush: Int?) throws {
        let file = TestMovie.file()
        let (result, warnings) = try ProgressiveMovieOutput.remade(file, flush: flush, reserving: 4000)
        #expect(TestBoxes.types(result) == ["ftyp", "moov", "free", "free", "mdat"])
        #expect(result.count == file.count - indexSize(file) + 4000)
        #expect(warnings.isEmpty)
        try TestBoxes.expectSameMedia(result, file)
    }

    @Test("leaves a file without a gap, however much room is left or lacks", arguments: -20...20)
    func everyRest(rest: Int) throws {
        let file = TestMovie.file()
        for sink in [MemorySink(), UploadLikeSink(rewritableHead: 8 << 20)] as [any ByteSink] {
            let (result, warnings) = try ProgressiveMovieOutput.remade(
                file, reserving: indexSize(file) + rest, sink: sink
            ) { (sink as? MemorySink)?.bytes ?? (sink as? UploadLikeSink)?.bytes }
            // The muxer's own padding of 8 bytes is used too, where it is of help: only a room that lacks 1 to 7 bytes,
            // or more than 8, is of no use to a sink that cannot be read back.
            let fits = rest >= 0 || rest == -8
            if fits || sink is MemorySink {
                #expect(TestBoxes.types(result).prefix(2) == ["ftyp", "moov"])
                #expect(warnings.isEmpty)
            } else {
                #expect(TestBoxes.types(result) == ["ftyp", "free", "free", "mdat", "moov"])
                #expect(warnings.count == 1)
                #expect(warnings.first?.hasPrefix("index left at the end: ") == true)
            }
            try TestBoxes.expectSameMedia(result, file)
        }
    }

    @Test(
        "moves the media up in a sink that can be read back if no room was kept, or too little",
        arguments: [0, 1, 8, 300], [10, 700, (1 << 20) + 1, (2 << 20) + 333])
    func movesMedia(reserve: Int, media: Int) throws {
        // The distance to move by is shorter than the media, and longer.
        for padding in [0, 100_000] {
            let file = TestMovie.file(media: media, padding: padding)
            let (result, warnings) = try ProgressiveMovieOutput.remade(file, reserving: reserve)
            #expect(TestBoxes.types(result).prefix(2) == ["ftyp", "moov"])
            #expect(warnings.isEmpty)
            #expect(result.count <= file.count + max(8, reserve - indexSize(file)))
            try TestBoxes.expectSameMedia(result, file)
        }
    }

    @Test("stays at the end, with a warning, if a sink can neither take nor make room")
    func staysAtEnd() throws {
        let file = TestMovie.file()
        let sink = UploadLikeSink(rewritableHead: .max)
        let (result, warnings) = try ProgressiveMovieOutput.remade(file, reserving: 100, sink: sink) { sink.bytes }
        #expect(TestBoxes.types(result) == ["ftyp", "free", "free", "mdat", "moov"])
        #expect(
            warnings == [
                "index left at the end: it takes \(indexSize(file)) bytes and 100 were kept for it at the start"
            ])
        try TestBoxes.expectSameMedia(result, file)
    }

    @Test("takes no more room than the sink can write again")
    func limitedHead() throws {
        let file = TestMovie.file()
        let head = 40
        for limit in [head, head + 7, head + 8, head + 100, head + indexSize(file), 8 << 20] {
            let sink = UploadLikeSink(rewritableHead: Int64(limit))
            let (result, warnings) = try ProgressiveMovieOutput.remade(file, reserving: 2 << 20, sink: sink) {
                sink.bytes
            }
            #expect(warnings.isEmpty == (limit >= head + indexSize(file)))
            #expect(try #require(TestBoxes.list(result).first { $0.type == "mdat" }).start + 8 <= limit)
            try TestBoxes.expectSameMedia(result, file)
        }
    }

    @Test("is refused where not even the size of the media can be written again")
    func noHead() throws {
        let output = ProgressiveMovieOutput(UploadLikeSink(rewritableHead: 0), reservedIndexBytes: 1000)
        var muxer = FakeMuxer(output)
        let error = #expect(throws: MediaError.self) { try muxer.replay(TestMovie.file(), flush: 512) }
        #expect(error?.code == .io)
        #expect(error?.message == "cannot go back to byte 32 of the output: nothing in it can be written again")
    }

    @Test("keeps 64-bit offsets and other boxes behind the media")
    func otherBoxes() throws {
        let file = TestMovie.file(wide: true)
        let index = TestBoxes.find(file, ["moov"])
        let start = try #require(index.first).start
        let more = file[..<start] + TestMovie.box("free", [1, 2]) + file[start...] + TestMovie.box("uuid", [3])
        for (reserve, order) in [
            (9000, ["ftyp", "moov", "free", "free", "mdat", "free", "uuid"]),
            (100, ["ftyp", "free", "free", "mdat", "free", "moov", "uuid"]),
        ] {
            let sink = UploadLikeSink(rewritableHead: .max)
            let result = try ProgressiveMovieOutput.remade(Array(more), reserving: reserve, sink: sink) { sink.bytes }
            #expect(TestBoxes.types(result.file) == order)
            try TestBoxes.expectSameMedia(result.file, Array(more))
        }
    }

    @Test("follows a muxer that writes the media's size more than once")
    func repeatedSize() throws {
        let file = TestMovie.file(media: 3000)
        let sink = MemorySink()
        let output = ProgressiveMovieOutput(sink, reservedIndexBytes: 4000)
        var muxer = FakeMuxer(output)
        try muxer.write(Array(file[..<32]) + [0, 0, 0, 0] + Array(file[36..<1000]))
        muxer.seek(32)
        try muxer.write(TestMovie.bigEndian(1000 - 32, 4))
        muxer.seek(1000)
        try muxer.write(Array(file[1000..<1500]))
        muxer.seek(32)
        // In two steps, of which the first alone would make no sense.
        try muxer.write([0, 0])
        try muxer.write(Array(file[34..<36]))
        muxer.seek(1500)
        try muxer.write(Array(file[1500...]))
        #expect(output.size == Int64(file.count))
        #expect(try output.finish().isEmpty)
        try sink.finish()
        let result = try #require(sink.bytes)
        #expect(TestBoxes.types(result) == ["ftyp", "moov", "free", "free", "mdat"])
        try TestBoxes.expectSameMedia(result, file)
    }

    @Test("lets the muxer change media that it wrote before")
    func rewrittenMedia() throws {
        var file = TestMovie.file()
        let sink = MemorySink()
        let output = ProgressiveMovieOutput(sink, reservedIndexBytes: 3000)
        var muxer = FakeMuxer(output)
        try muxer.replay(file, flush: 100)
        muxer.seek(1000)
        try muxer.write([1, 2, 3, 4])
        file.replaceSubrange(1000..<1004, with: [1, 2, 3, 4])
        _ = try output.finish()
        try sink.finish()
        try TestBoxes.expectSameMedia(try #require(sink.bytes), file)
    }

    @Test("does not touch a fragmented movie, nor what is no movie")
    func passThrough() throws {
        let fragmented =
            TestMovie.fileType + TestMovie.index([[]]) + TestMovie.box("moof", [1, 2, 3])
            + TestMovie.box("mdat", [4, 5, 6]) + TestMovie.box("mfra", [7])
        let text = Array("This is not a movie, but it is long enough to be taken for one.".utf8)
        let longHead = TestMovie.fileType + TestMovie.box("free", [UInt8](repeating: 0, count: 70_000))
        for bytes in [fragmented, text, longHead, Array(text.prefix(5)), TestMovie.fileType, []] {
            let sink = MemorySink()
            let output = ProgressiveMovieOutput(sink, reservedIndexBytes: 1000)
            var muxer = FakeMuxer(output)
            try muxer.write(bytes, flush: 3)
            if bytes.count > 50 {
                muxer.seek(40)
                try muxer.write([42])
            }
            #expect(try output.finish().isEmpty)
            try sink.finish()
            var expected = bytes
            if bytes.count > 50 { expected[40] = 42 }
            #expect(sink.bytes == expected)
        }
    }

    @Test("is an error, not a broken file, if it never comes or is damaged")
    func neverComplete() throws {
        let file = TestMovie.file()
        let media = try #require(TestBoxes.list(file).first { $0.type == "mdat" })
        let cut = Array(file[..<media.end])
        let streamed = Array(file[..<32]) + [0, 0, 0, 0] + Array(file[36...])
        var damaged = file
        damaged[media.end + 3] ^= 1
        let twice = file + file[media.end...]
        let fragment = file + TestMovie.box("moof", [1])
        for bytes in [cut, Array(cut.dropLast()), streamed, damaged, twice, fragment, file + [0]] {
            let output = ProgressiveMovieOutput(MemorySink(), reservedIndexBytes: 4000)
            var muxer = FakeMuxer(output)
            try muxer.write(bytes)
            let error = #expect(throws: MediaError.self) { _ = try output.finish() }
            #expect(error?.code == .internal)
        }
    }

    @Test("passes on the sink's own error unchanged")
    func sinkError() throws {
        let output = ProgressiveMovieOutput(MemorySink(limit: 4000), reservedIndexBytes: 1000)
        var muxer = FakeMuxer(output)
        let error = #expect(throws: ByteIOError.self) { try muxer.replay(TestMovie.file(), flush: 100) }
        #expect(error?.code == .noSpace)
    }
}
