import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// Films and pictures that jobs make of several things, from a row in the queue to an object in the store.
@Suite struct MediaMakingJobTests {
    @Test func `Clips are joined, and a clip is repeated for as long as a sound`() async throws {
        let bench = try await ServiceBench()
        bench.putClip("in/a.mkv", seconds: 2)
        bench.putClip("in/b.mkv", seconds: 1, width: 160, height: 120)
        bench.server.put("in/call.mkv", TestClip(audio: [TestClip.Audio(seconds: 3.3)]).bytes)
        let joined = try await bench.enqueue(
            "media.concatenate",
            #"""
            {"clips": [{"input": "s3://media/in/a.mkv"}, {"input": "s3://media/in/b.mkv"}],
             "crossFade": {"seconds": 0.4}, "video": {"preset": "ultrafast"}}
            """#, ", memory => 1048576")
        let looped = try await bench.enqueue(
            "media.loop",
            #"""
            {"input": "s3://media/in/b.mkv", "match": "s3://media/in/call.mkv", "output": "store://out/loop.mkv",
             "video": {"preset": "ultrafast"}, "audio": {"codec": "pcm"}}
            """#)
        try await bench.serving { _ in
            let film = try await bench.result(joined)
            #expect(film.key?.hasSuffix(".mp4") == true && film.container == "mp4")
            #expect(abs((film.duration ?? 0) - 2.6) < 0.01)
            let folder = try Scratch()
            let made = try bench.decoded(film.key ?? "", in: folder)
            #expect(made.video?.frames.count == 65 && Set(made.video?.frames.map(\.width) ?? []) == [320])

            let loop = try await bench.result(looped)
            #expect(loop.key == "out/loop.mkv" && loop.streams.map(\.kind) == ["video", "audio"])
            let sound = try #require(try bench.decoded("out/loop.mkv", in: folder).audio)
            #expect(sound.samples.first?.count == Int((3.3 * Double(sound.sampleRate)).rounded()))
        }
        #expect(bench.server.uploads.isEmpty && bench.server.refusals.isEmpty)
        // It was looked at before it was run.
        #expect(try #require(try await bench.queue.job(joined)).memory >= 192 << 20)
    }

    @Test func `A sound becomes a film and a picture`() async throws {
        let bench = try await ServiceBench()
        bench.server.put("in/call.mkv", TestClip(audio: [TestClip.Audio(seconds: 2)]).bytes)
        let film = try await bench.enqueue(
            "media.waveform",
            #"{"input": "s3://media/in/call.mkv", "width": 320, "height": 180, "video": {"preset": "ultrafast"}}"#)
        let picture = try await bench.enqueue(
            "media.waveform", #"{"input": "s3://media/in/call.mkv", "output": "store://out/{jobId}.png"}"#)
        let large = try await bench.enqueue(
            "media.waveform",
            #"""
            {"input": "s3://media/in/call.mkv", "width": 1920, "height": 1080, "end": 0.2,
             "video": {"preset": "veryfast"}}
            """#)
        try await bench.serving { _ in
            let folder = try Scratch()
            let made = try await bench.result(film)
            #expect(made.container == "mp4" && made.streams.map(\.kind) == ["video", "audio"])
            let frames = try #require(try bench.decoded(made.key ?? "", in: folder).video?.frames)
            #expect(frames.count == 50 && frames[0].width == 320)
            #expect(frames[25].luma.mean(0.1...0.9, 0.3...0.7) > frames[25].luma.mean(0...1, 0...0.1) + 5)

            let still = try await bench.result(picture)
            #expect(still.key == "out/\(picture.uuidString.lowercased()).png" && still.container == "png")
            #expect(bench.server.bytes(still.key ?? "")?.starts(with: [0x89] + Array("PNG".utf8)) == true)
            _ = try await bench.result(large)
        }
        #expect(try #require(try await bench.queue.job(film)).cores == 1)
        let job = try #require(try await bench.queue.job(large))
        #expect(job.cores == 2 && job.memory > 256 << 20)
    }

    @Test func `Of a film pictures are taken, each under a name of its own`() async throws {
        let bench = try await ServiceBench()
        bench.putClip(seconds: 4)
        let one = try await bench.enqueue("media.thumbnail", #"{"input": "s3://media/in/clip.mkv"}"#)
        let several = try await bench.enqueue(
            "media.thumbnail",
            #"""
            {"input": "s3://media/in/clip.mkv", "output": "store://out/{n}.png", "at": [3, 1],
             "size": {"width": 160}}
            """#)
        try await bench.serving { _ in
            let best = try await bench.result(one)
            #expect(best.key?.hasSuffix(".jpg") == true && best.outputs.count == 1)
            #expect(bench.server.bytes(best.key ?? "")?.starts(with: [0xFF, 0xD8]) == true)
            let pictures = try await bench.result(several)
            #expect(pictures.outputs.map(\.key) == ["out/001.png", "out/002.png"])
            #expect(pictures.outputs.map { ($0.start ?? -1).rounded() } == [3, 1])
            for output in pictures.outputs {
                let bytes = try #require(bench.server.bytes(output.key ?? ""))
                #expect(output.size == Int64(bytes.count) && bytes.starts(with: [0x89] + Array("PNG".utf8)))
                // The width stands in the header, at byte 16.
                #expect(Array(bytes[16..<20]) == [0, 0, 0, 160])
            }
        }
        #expect(bench.server.uploads.isEmpty && bench.server.refusals.isEmpty)
    }

    @Test func `A loop in a mix is weighed by what is held of it`() async throws {
        let bench = try await ServiceBench()
        let sound = TestClip(audio: [TestClip.Audio(seconds: 10, sampleRate: 48_000, channels: 2)])
        bench.server.put("in/music.mkv", sound.bytes)
        bench.server.put("in/speech.mkv", TestClip(audio: [TestClip.Audio(seconds: 1)]).bytes)
        let id = try await bench.enqueue(
            "media.mix_audio",
            #"""
            {"inputs": [{"input": "s3://media/in/speech.mkv"},
             {"input": "s3://media/in/music.mkv", "loop": true, "gain": -12, "duck": {"key": 0}}]}
            """#, ", memory => 1048576")
        let result = try await bench.serving { _ in try await bench.result(id) }
        #expect(abs((result.duration ?? 0) - 1) < 0.05)
        // 10 s of two channels at 48 kHz are 3.84 MB, beside the 192 MiB of the engine.
        let memory = try #require(try await bench.queue.job(id)).memory - (192 << 20)
        #expect(abs(memory - 3_840_000) < 20_000, "\(memory)")
    }
}
