import ByteIO
import Foundation
import MediaKit
import TestSupport
import Testing

@Suite("Where bytes come from and go to", .serialized)
struct SourceAndSinkTests {
    /// Reads like a pipe: forwards only, its length unknown.
    private final class ForwardSource: ByteSource {
        let name = "pipe"
        let length: Int64? = nil
        let isSeekable = false
        private let bytes: MemorySource
        init(_ bytes: [UInt8]) { self.bytes = MemorySource(bytes) }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, 1000)])
            return try bytes.read(into: part, at: offset)
        }
    }

    private struct OwnError: Error, Equatable {}

    private final class FailingSource: ByteSource {
        let name = "remote"
        let length: Int64? = 1_000_000
        let isSeekable = true
        let bytes: MemorySource
        let after: Int64
        init(_ bytes: [UInt8], after: Int64) {
            self.bytes = MemorySource(bytes)
            self.after = after
        }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            if offset > after { throw OwnError() }
            return try bytes.read(into: buffer, at: offset)
        }
    }

    private func run(
        _ source: any ByteSource, _ sink: MemorySink, container: Container = .mp4,
        _ change: (inout Transcode) -> Void = { _ in }
    ) async throws -> RenderResult {
        var request = Transcode(
            input: "in", output: "out", container: container, video: VideoSettings(codec: .h264, preset: "ultrafast"))
        request.audio.codec = .aac
        change(&request)
        return try await MediaEngine(resolver: BoundResolver(sources: ["in": source], sinks: ["out": sink])).run(
            request)
    }

    private func look(_ sink: MemorySink, _ name: String = "a.mp4") throws -> DecodedMedia {
        let bench = try Workbench()
        try bench.scratch.put(name, try #require(sink.bytes))
        return try bench.look(name)
    }

    private func boxes(_ bytes: [UInt8]) -> [String] {
        var names: [String] = []
        var at = 0
        while at + 8 <= bytes.count {
            let size = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            names.append(String(decoding: bytes[at + 4..<at + 8], as: UTF8.self))
            guard size >= 8 else { break }
            at += size
        }
        return names
    }

    @Test("from memory to memory, its index in front")
    func memory() async throws {
        let sink = MemorySink()
        let result = try await run(MemorySource(TestClip.ordinary(seconds: 2).bytes), sink)
        #expect(try look(sink).video?.numbers == Array(0..<50))
        let names = boxes(sink.bytes ?? [])
        let index = try #require(names.firstIndex(of: "moov")), media = try #require(names.firstIndex(of: "mdat"))
        #expect(index < media)
        #expect(result.warnings.isEmpty)
        #expect(result.bytes == Int64(sink.bytes?.count ?? 0))
    }

    @Test("the index comes last where that is asked for")
    func indexLast() async throws {
        let sink = MemorySink()
        _ = try await run(MemorySource(TestClip.ordinary(seconds: 1).bytes), sink) { $0.indexFirst = false }
        let names = boxes(sink.bytes ?? [])
        #expect(try #require(names.firstIndex(of: "moov")) > #require(names.firstIndex(of: "mdat")))
    }

    @Test("a sink that is written once gets a fragmented movie, and a warning says so")
    func fragmented() async throws {
        let sink = MemorySink(rewritableHead: 0)
        let result = try await run(MemorySource(TestClip.ordinary(seconds: 2).bytes), sink)
        #expect(boxes(sink.bytes ?? []).contains("moof"))
        #expect(result.warnings.map(\.code) == [.container])
        let made = try look(sink)
        #expect(made.video?.numbers == Array(0..<50))
        try expectTones(try #require(made.audio), seconds: 2, name: "fragmented")
        #expect(abs((made.video?.start ?? 0) - (made.audio?.start ?? 0)) < 0.03)
    }

    @Test(
        "every container can be written to a pipe",
        arguments: [
            (Container.mkv, "a.mkv"), (.mpegts, "a.ts"), (.mov, "a.mov"), (.webm, "a.webm"),
        ])
    func pipes(container: Container, name: String) async throws {
        let sink = MemorySink(rewritableHead: 0)
        _ = try await run(ForwardSource(TestClip.ordinary(seconds: 2).bytes), sink, container: container) {
            if container == .webm {
                $0.video.codec = .vp9
                $0.audio.codec = .opus
            }
        }
        #expect(try look(sink, name).video?.numbers == Array(0..<50))
    }

    @Test(
        "sound can be written to a pipe",
        arguments: [
            (Container.wav, "a.wav"), (.flac, "a.flac"), (.mp3, "a.mp3"), (.ogg, "a.ogg"), (.m4a, "a.m4a"),
            (.opus, "a.opus"),
        ])
    func soundPipes(container: Container, name: String) async throws {
        let sink = MemorySink(rewritableHead: 0)
        _ = try await run(ForwardSource(TestClip.ordinary(seconds: 2).bytes), sink, container: container) {
            $0.video = VideoSettings(codec: .none)
            $0.audio.codec = .auto
        }
        try expectTones(try #require(try look(sink, name).audio), seconds: 2, name: name)
    }

    @Test("an MP4 with its index in front can be read from a pipe")
    func moviePipe() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 2))
        let sink = MemorySink()
        _ = try await run(ForwardSource(bench.scratch.bytes("movie.mp4")), sink)
        #expect(try look(sink).video?.numbers == Array(0..<50))
        #expect(movie.hasSuffix("movie.mp4"))
    }

    @Test("an MP4 with its index last cannot be read from a pipe, and the error says why or how")
    func indexLastPipe() async throws {
        let bench = try Workbench()
        let input = try bench.put(EncoderSettingsTests.noiseBytes)
        try await bench.transcode(input, to: "last.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 10)
            $0.indexFirst = false
        }
        let sink = MemorySink()
        let error = await mediaError { _ = try await run(ForwardSource(bench.scratch.bytes("last.mp4")), sink) }
        #expect(error != nil && error?.code != .internal, "\(error.map(String.init(describing:)) ?? "it was made")")
        #expect(sink.bytes == nil)
    }

    @Test("a source's own error reaches the caller unchanged", arguments: [Int64(-1), 5000, 200_000])
    func ownError(after: Int64) async throws {
        let sink = MemorySink()
        let source = FailingSource(TestClip.ordinary(seconds: 3).bytes, after: after)
        let error = await mediaError { _ = try await run(source, sink) }
        #expect(error?.code == .io)
        #expect(error?.cause as? OwnError == OwnError())
        #expect(sink.bytes == nil)
    }

    @Test(
        "the same request gives the same bytes",
        arguments: [
            ("mp4", VideoCodec.h264, AudioCodec.aac), ("mkv", .h264, .opus), ("mkv", .hevc, .flac),
            ("webm", .vp9, .opus),
            ("ts", .h264, .mp3), ("mov", .h264, .pcm),
        ])
    func reproducible(name: String, video: VideoCodec, audio: AudioCodec) async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 1))
        for output in ["a.\(name)", "b.\(name)"] {
            try await bench.transcode(input, to: output) {
                $0.video = VideoSettings(codec: video)
                $0.audio.codec = audio
                $0.bitexact = true
                $0.threads = 2
            }
        }
        #expect(bench.scratch.bytes("a.\(name)") == bench.scratch.bytes("b.\(name)"))
        #expect(!bench.scratch.bytes("a.\(name)").isEmpty)
    }

    @Test("an output that exists is not touched unless asked")
    func existing() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4))
        try bench.scratch.put("a.mp4", [1, 2, 3])
        let error = await mediaError { try await bench.transcode(input, to: "a.mp4") { $0.video.codec = .h264 } }
        #expect(error?.code == .cannotCreate)
        #expect(bench.scratch.bytes("a.mp4") == [1, 2, 3])
        try await bench.transcode(input, to: "a.mp4") {
            $0.video.codec = .h264
            $0.overwrite = true
        }
        #expect(try bench.look("a.mp4").video?.frames.count == 10)
    }

    @Test("a failure leaves what was there before, even with overwrite")
    func failureKeeps() async throws {
        let bench = try Workbench()
        try bench.scratch.put("a.mp4", [1, 2, 3])
        try bench.scratch.put("in.mkv", [4, 5, 6])
        let error = await mediaError {
            try await bench.transcode(bench.scratch("in.mkv"), to: "a.mp4") { $0.overwrite = true }
        }
        #expect(error?.code == .badInput)
        #expect(bench.scratch.bytes("a.mp4") == [1, 2, 3])
        #expect(bench.scratch.names == ["a.mp4", "in.mkv"])
    }

    @Test("writing onto the input itself is safe with overwrite")
    func ontoItself() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 1))
        try await bench.transcode(movie, to: "movie.mp4") {
            $0.video.codec = .h264
            $0.overwrite = true
        }
        #expect(try bench.look("movie.mp4").video?.numbers == Array(0..<25))
    }

    @Test("what is not there is not found; a folder that is missing cannot be written to")
    func missing() async throws {
        let bench = try Workbench()
        let absent = await mediaError { try await bench.transcode(bench.scratch("no.mp4"), to: "a.mp4") }
        #expect(absent?.code == .notFound)
        let input = try bench.put(.ordinary(seconds: 0.4))
        let folder = await mediaError { try await bench.transcode(input, to: "no/a.mp4") }
        #expect(folder?.code == .cannotCreate)
        let scheme = await mediaError { try await bench.transcode("ftp://host/a.mp4", to: "a.mp4") }
        #expect(scheme?.code == .unsupported)
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test("names with colons, percent signs, quotes and spaces are only names")
    func names() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 0.4), as: "it's 100%: a [clip], really;.mkv")
        try await bench.transcode(input, to: "out'put: %d [1],2.mp4") { $0.video.codec = .h264 }
        #expect(try bench.look("out'put: %d [1],2.mp4").video?.frames.count == 10)
        let url = URL(filePath: input).absoluteString
        #expect(try await bench.probe(url).streams.count == 2)
    }
}
