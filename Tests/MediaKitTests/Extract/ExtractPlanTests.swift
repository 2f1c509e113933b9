import ByteIO
import MediaKit
import Synchronization
import TestSupport
import Testing

/// What a source that costs by the byte is told before it is read.
@Suite struct ExtractPlanTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Pictures that fill the file, and sound of 8 s.
    private func movie(container: Container? = nil) async throws -> String {
        var video = TestClip.Video(frames: 200, width: 320, height: 192)
        // Noise does not shrink.
        video.luma = { number, x, y in
            UInt8(truncatingIfNeeded: (x &* 7919 ^ y &* 104_729 ^ number &* 31) &* 2_654_435 >> 7)
        }
        let clip = TestClip(
            video: video, audio: [TestClip.Audio(seconds: 8, channels: 2)])
        let input = try bench.put(clip)
        let name = container.map { "film.\($0.rawValue)" } ?? "film.mp4"
        try await bench.transcode(input, to: name) {
            $0.video = VideoSettings(codec: .h264, crf: 1, gopSeconds: 1)
            $0.audio.codec = .aac
        }
        return bench.scratch(name)
    }

    private func extract(
        from path: String, _ change: (inout ExtractAudio) -> Void = { _ in }
    ) async throws -> PlannedSource {
        let source = try PlannedSource(path: path)
        let engine = MediaEngine(resolver: BoundResolver(sources: ["film": source]))
        var request = ExtractAudio(input: "film", output: bench.scratch("out.wav"), overwrite: true)
        change(&request)
        _ = try await engine.run(request)
        return source
    }

    @Test func `An extraction tells the bytes of the sound, and reads no others`() async throws {
        let path = try await movie()
        let source = try await extract(from: path)
        let (first, ranges) = try #require(source.plan)
        #expect(first == .scattered)
        let planned = ranges.reduce(0) { $0 + $1.count }
        #expect(planned > 50_000)
        #expect(Int64(planned) < (source.length ?? 0) / 4)
        #expect(source.readsAfterPlan.count > 100)
        for read in source.readsAfterPlan {
            #expect(ranges.contains { $0.lowerBound <= read.lowerBound && read.upperBound <= $0.upperBound }, "\(read)")
        }
    }

    @Test func `Of a part of it, only the sound of that part is told`() async throws {
        let path = try await movie()
        let whole = try #require(try await extract(from: path).plan).ranges
        let source = try await extract(from: path) {
            $0.start = 4
            $0.end = 4.5
        }
        let part = try #require(source.plan).ranges
        #expect(part.reduce(0) { $0 + $1.count } < whole.reduce(0) { $0 + $1.count } * 3 / 4)
        for read in source.readsAfterPlan {
            #expect(part.contains { $0.lowerBound <= read.lowerBound && read.upperBound <= $0.upperBound }, "\(read)")
        }
    }

    @Test func `A container without an index of its packets is read in order`() async throws {
        let source = try await extract(from: try await movie(container: .mkv))
        #expect(source.plan == nil)
        #expect(source.expectations.last == ExpectedReads.forward)
    }

    @Test func `Of a fragmented film nothing is read that was not told`() async throws {
        let path = try await movie()
        // What cannot be rewritten is written in fragments.
        let sink = MemorySink(rewritableHead: 0)
        let engine = MediaEngine(resolver: BoundResolver(sinks: ["out": sink]))
        _ = try await engine.run(Transcode(input: path, output: "out", container: .mp4))
        let source = try await extract(from: try bench.put(try #require(sink.bytes), as: "fragments.mp4"))
        // Whether libav has read of all fragments by then, depends on its version.
        guard let ranges = source.plan?.ranges else {
            #expect(source.expectations.last == ExpectedReads.forward)
            return
        }
        for read in source.readsAfterPlan {
            #expect(ranges.contains { $0.lowerBound <= read.lowerBound && read.upperBound <= $0.upperBound }, "\(read)")
        }
    }

    @Test func `What makes an input slow is a warning of the result`() async throws {
        let source = try PlannedSource(path: try await movie(), notices: ["the server has no ranges"])
        let engine = MediaEngine(resolver: BoundResolver(sources: ["film": source]))
        let result = try await engine.run(ExtractAudio(input: "film", output: bench.scratch("out.wav")))
        #expect(result.warnings.contains(MediaWarning(.slowInput, "the server has no ranges")))
    }
}

/// A file that notes what it is told and what is read of it then.
private final class PlannedSource: PlannableByteSource {
    let notices: [String]
    private let file: FileSource
    private struct State {
        var expectations: [ExpectedReads] = []
        var reads: [Range<Int64>] = []
    }
    private let state = Mutex(State())

    init(path: String, notices: [String] = []) throws {
        file = try FileSource(path: path)
        self.notices = notices
    }

    var name: String { file.name }
    var length: Int64? { file.length }
    var isSeekable: Bool { true }
    var expectations: [ExpectedReads] { state.withLock { $0.expectations } }
    /// What was read since the last thing that it was told.
    var readsAfterPlan: [Range<Int64>] { state.withLock { $0.reads } }
    /// What it was told first, and the ranges that it was told last.
    var plan: (first: ExpectedReads, ranges: [Range<Int64>])? {
        let expectations = expectations
        guard let first = expectations.first, case .ranges(let ranges)? = expectations.last else { return nil }
        return (first, ranges)
    }

    func expect(_ reads: ExpectedReads) {
        state.withLock { state in
            state.expectations.append(reads)
            state.reads = []
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let count = try file.read(into: buffer, at: offset)
        if count > 0 { state.withLock { $0.reads.append(offset..<offset + Int64(count)) } }
        return count
    }
}
