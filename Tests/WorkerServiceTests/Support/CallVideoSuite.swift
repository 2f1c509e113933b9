import Foundation
import JobQueue
import Logging
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// What the tests of `pipeline.call_video` share: a call in a store, and pictures to show it with.
protocol CallVideoSuite {}

extension CallVideoSuite {
    static var settings: String {
        #""size": {"width": 320, "height": 180}, "video": {"codec": "h264", "preset": "ultrafast", "crf": 10}"#
    }
    static var seconds: Double { 4.4 }

    func bench(_ store: StubbornStore? = nil) async throws -> ServiceBench { try await bench { store?.fault($0) } }

    func bench(_ fault: @escaping @Sendable (S3Request) -> S3Fault?) async throws -> ServiceBench {
        let bench = try await ServiceBench(fault: fault)
        bench.server.put("in/call.mkv", SpokenClip(seconds: Self.seconds).clip(width: 0).bytes)
        return bench
    }

    func enqueue(_ bench: ServiceBench, _ more: String) async throws -> JobID {
        try await bench.enqueue(
            "pipeline.call_video", #"{"audio": "s3://media/in/call.mkv", \#(Self.settings), \#(more)}"#,
            ", max_attempts => 9")
    }

    /// How loud a film is, as it was written.
    func loudness(_ bench: ServiceBench, _ key: String) async throws -> LoudnessMeasurement {
        let workbench = try Workbench()
        let path = try workbench.put(try #require(bench.server.bytes(key)))
        return try #require(try await workbench.engine.run(MeasureLoudness(input: path)).tracks.first).loudness
    }

    func expectNothingLeft(_ bench: ServiceBench, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(bench.server.keys.filter { $0.hasPrefix("work/") }.isEmpty, sourceLocation: sourceLocation)
        #expect(bench.server.uploads.isEmpty, sourceLocation: sourceLocation)
        // Attempts that failed have left a note each.
        try await bench.sql("UPDATE kiln.effect SET seen_at = NULL")
        let stores = try bench.configuration.storage.stores(web: .guarded)
        try await UploadSweeper(queue: bench.queue, stores: stores, logger: Logger(label: "test")).sweep()
        #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0", sourceLocation: sourceLocation)
    }

    /// Still pictures of one luma.
    func picture(_ luma: UInt8, width: Int = 320, height: Int = 180) async throws -> [UInt8] {
        let bench = try Workbench()
        var video = TestClip.Video(frames: 1, width: width, height: height)
        video.luma = { _, _, _ in luma }
        let path = try bench.put(TestClip(video: video))
        _ = try await bench.engine.run(Thumbnail(input: path, output: bench.scratch("p.png")))
        return bench.scratch.bytes("p.png")
    }

    /// A moving clip of one luma, with a tone.
    func film(_ luma: UInt8, seconds: Double, rate: Int = 25, width: Int = 160, height: Int = 90) -> TestClip {
        var video = TestClip.Video(frames: Int(seconds * Double(rate)), rate: rate, width: width, height: height)
        video.luma = { _, _, _ in luma }
        return TestClip(video: video, audio: TestClip.ordinary(seconds: seconds).audio)
    }
}
