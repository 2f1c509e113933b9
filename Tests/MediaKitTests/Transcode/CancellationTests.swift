import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MediaKit

/// Alone in the process for what it counts: threads and descriptors.
@Suite("Cancelling and endurance", .serialized)
struct CancellationTests {
    /// A generator with a seed, so that a failure can be repeated.
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    /// Waits until the engine's threads are gone: others' tests may run theirs meanwhile, so names are looked at.
    private func engineThreads() -> [String] { ProcessState.threads(named: "kiln-") }

    @Test("at fifty random moments it stops at once and leaves nothing", .timeLimit(.minutes(3)))
    func randomMoments() async throws {
        let bench = try Workbench()
        let input = try bench.put(
            TestClip(
                video: .init(frames: 150, width: 320, height: 192), audio: [.init(seconds: 6)]))
        var random = Random(state: 20_240_607)
        let clock = ContinuousClock()
        var latencies: [Double] = []
        var finished = 0
        for round in 0..<50 {
            let moment = Duration.milliseconds(Int.random(in: 0...300, using: &random))
            let twoPass = round % 5 == 0
            let task = Task {
                try await bench.transcode(input, to: "out.mp4") {
                    $0.video = VideoSettings(
                        codec: .h264, bitRate: twoPass ? 500_000 : nil, twoPass: twoPass, preset: "slower")
                    $0.audio.codec = .aac
                    $0.overwrite = true
                }
            }
            try await clock.sleep(for: moment)
            let asked = clock.now
            task.cancel()
            do {
                _ = try await task.value
                finished += 1
            } catch let error as MediaError {
                latencies.append((clock.now - asked) / .milliseconds(1))
                #expect(error.code == .cancelled, "round \(round): \(error)")
                #expect(bench.scratch.names.allSatisfy { $0 == "in.mkv" || finished > 0 && $0 == "out.mp4" })
            }
        }
        let sorted = latencies.sorted()
        print("cancel: \(latencies.count) of 50, median \(sorted[sorted.count / 2]) ms, longest \(sorted.last ?? 0) ms")
        #expect(latencies.count >= 25)
        #expect(bench.scratch.names.filter { $0.hasPrefix(".") || $0.contains("partial") } == [])
    }

    /// Runs a request on a thread of its own, without Swift's concurrency, whose threads other tests keep busy; cancels
    /// it after `moment`, and returns the milliseconds until it has stopped, or `nil` if it was done before.
    private func latency(_ request: Transcode, after moment: Duration) async throws -> Double? {
        let control = JobControl(budget: .process, limits: Limits())
        let outcome = Outcome()
        let job = Job(control: control, resolver: LocalResolver(), progress: nil)
        let thread = try EngineThread(name: "kiln-job") {
            do { _ = try request.execute(job) } catch { outcome.isCancelled.store(true, ordering: .releasing) }
            job.close()
        }
        let clock = ContinuousClock()
        try await clock.sleep(for: moment)
        let asked = clock.now
        control.cancel()
        thread.join()
        let taken = (clock.now - asked) / .milliseconds(1)
        return outcome.isCancelled.load(ordering: .acquiring) ? taken : nil
    }

    private final class Outcome: Sendable {
        let isCancelled = Atomic<Bool>(false)
    }

    @Test("pictures of 1080p stop too, and leave nothing", .enabled(if: Media.isPresent))
    func fullHD() async throws {
        let bench = try Workbench()
        var random = Random(state: 1080)
        var latencies: [Double] = []
        for _ in 0..<10 {
            let request = Transcode(
                input: Media.file("video/highway_1080p25_30s.mp4"), output: bench.scratch("out.mp4"),
                video: VideoSettings(codec: .h264, preset: "veryfast"))
            let moment = Duration.milliseconds(Int.random(in: 100...1500, using: &random))
            if let taken = try await latency(request, after: moment) { latencies.append(taken) }
        }
        let sorted = latencies.sorted()
        print("cancel at 1080p: \(sorted.map { $0.rounded() }) ms")
        // How long it took is printed and not asserted: other tests take the cores meanwhile.
        #expect(!sorted.isEmpty)
        #expect(bench.scratch.names == [])
    }

    @Test("a task that was cancelled before does nothing")
    func before() async throws {
        let bench = try Workbench()
        let input = try bench.put(.ordinary(seconds: 1))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await bench.transcode(input, to: "a.mp4") { $0.video.codec = .h264 }
        }
        let error = await mediaError { _ = try await task.value }
        #expect(error?.code == .cancelled)
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test("two hundred jobs in one process keep no memory, thread or descriptor", .timeLimit(.minutes(4)))
    func endurance() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 0.4))
        let good = bench.scratch.bytes("movie.mp4")
        try bench.scratch.put("cut.mp4", Array(good.prefix(good.count * 2 / 3)))
        var resident: [Int] = []
        var descriptors: [Int] = []
        for number in 0..<200 {
            switch number % 4 {
            case 0: _ = try await bench.probe(movie)
            case 1:
                try await bench.transcode(movie, to: "out.mp4") {
                    $0.video = VideoSettings(codec: .h264)
                    $0.audio.codec = .aac
                    $0.overwrite = true
                }
            case 2: try await bench.transcode(movie, to: "out.mkv") { $0.overwrite = true }
            default:
                let error = await mediaError {
                    try await bench.transcode(bench.scratch("cut.mp4"), to: "bad.mp4") { $0.tolerance.strict = true }
                }
                #expect(error != nil)
            }
            if number % 20 == 19 {
                resident.append(ProcessState.residentBytes >> 10)
                descriptors.append(ProcessState.descriptors)
            }
        }
        print("200 jobs: resident KiB \(resident), descriptors \(descriptors), engine threads \(engineThreads())")
        // Other tests of the process are at work as well, so these only mean something when it runs alone:
        // KILN_ENDURANCE=1 swift test --filter endurance
        if ProcessInfo.processInfo.environment["KILN_ENDURANCE"] != nil {
            #expect((resident.last ?? 0) - resident[2] < 32 << 10)
            #expect(descriptors.last == descriptors.first)
            #expect(engineThreads().isEmpty)
        }
        #expect(bench.scratch.names.allSatisfy { !$0.hasPrefix(".") })
    }
}
