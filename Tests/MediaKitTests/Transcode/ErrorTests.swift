import MediaKit
import TestSupport
import Testing

@Suite("Errors", .serialized)
struct ErrorTests {
    @Test("a job's log is its own, though another runs at the same time")
    func ownLog() async throws {
        let bench = try Workbench()
        let whole = try await bench.movie(.ordinary(seconds: 3))
        var damaged = bench.scratch.bytes("movie.mp4")
        // Overwrites the middle of the media, and leaves the index in front alone.
        var random = CancellationTests.Random(state: 7)
        for index in damaged.count / 3..<damaged.count * 9 / 10 where index % 3 == 0 {
            damaged[index] = UInt8.random(in: 0...255, using: &random)
        }
        let bad = try bench.scratch.put("bad.mp4", damaged)
        for round in 0..<4 {
            async let good: RenderResult = bench.transcode(whole, to: "good\(round).mp4") {
                $0.video = VideoSettings(codec: .h264)
                $0.tolerance.strict = true
            }
            let error = await mediaError {
                try await bench.transcode(bad, to: "bad\(round).out.mp4") {
                    $0.video = VideoSettings(codec: .h264)
                    $0.audio.codec = .aac
                }
            }
            // Strict, and with lines of the other job in its log it would have failed.
            #expect(try await good.warnings.isEmpty)
            #expect(error?.code == .badInput)
            #expect(error?.log.isEmpty == false)
            #expect(error?.input == bad)
        }
    }

    @Test("a description is one sentence that names the input and what to do")
    func description() async throws {
        let bench = try Workbench()
        let input = try bench.scratch.put("noise.mp4", (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 2) })
        let error = try #require(await mediaError { try await bench.transcode(input, to: "a.mp4") })
        #expect(error.code == .badInput)
        #expect(error.operation == "transcode")
        #expect(error.description.hasPrefix(input))
        #expect(!error.description.contains("\n"))
        #expect(error.libav != nil)
    }

    @Test("progress rises to the end, at most ten times a second")
    func progress() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 4))
        let collector = Collector()
        let clock = ContinuousClock()
        let begun = clock.now
        _ = try await bench.engine.run(
            Transcode(input: input, output: bench.scratch("a.mp4"), video: VideoSettings(codec: .h264, preset: "slow"))
        ) { collector.add($0) }
        let seen = collector.all
        #expect(seen.last?.fraction == 1)
        #expect(Double(seen.count) <= ((clock.now - begun) / .seconds(1)) * 10 + 2)
        for (a, b) in zip(seen, seen.dropFirst()) { #expect((a.fraction ?? 0) <= (b.fraction ?? 0)) }
        #expect(abs((seen.last?.position ?? 0) - 4) < 0.1)
    }

    private final class Collector: Sendable {
        private let held = Mutex<[Progress]>([])
        func add(_ progress: Progress) { held.withLock { $0.append(progress) } }
        var all: [Progress] { held.withLock { $0 } }
    }
}

import Synchronization
