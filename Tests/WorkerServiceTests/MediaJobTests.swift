import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// From a row in the queue to an object in the store.
@Suite struct MediaJobTests {
    @Test func `A burn-in enqueued in SQL becomes a film with its words, under a key of the job's own`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        let plain = try await bench.enqueue(
            "media.transcode",
            #"{"input": "s3://media/in/clip.mkv", "video": {"codec": "h264", "preset": "ultrafast"}}"#)
        let burnt = try await bench.enqueue(
            "media.burn_subtitles",
            #"""
            {"input": "s3://media/in/clip.mkv", "subtitles": {"text": "1\n00:00:00,000 --> 00:00:02,000\nWWWWWWW\n"},
             "video": {"preset": "ultrafast"}, "style": {"fontSize": 0.2}}
            """#)
        let (plainResult, result) = try await bench.serving { _ in
            (try await bench.result(plain), try await bench.result(burnt))
        }
        let job = try #require(try await bench.queue.job(burnt))
        let id = burnt.uuidString.lowercased()
        let milliseconds = Int((job.createdAt.timeIntervalSince1970 * 1000).rounded(.down))
        #expect(result.key == "rendered/\(id)-\(milliseconds).mp4")
        #expect(result.url == "s3://media/rendered/\(id)-\(milliseconds).mp4")
        let object = try #require(bench.server[result.key ?? ""])
        #expect(object.contentType == "video/mp4")
        #expect(result.size == object.size)
        #expect(result.etag == object.etag.rawValue)
        #expect(result.checksum?.value.isEmpty == false)
        #expect(result.container == "mp4")
        #expect(abs((result.duration ?? 0) - 2) < 0.1)
        #expect(result.streams.map(\.codec) == ["h264", "aac"])
        #expect(result.timings.queue >= 0 && result.timings.total >= result.timings.process)
        #expect(result.timings.process > 0 && result.timings.read > 0 && result.timings.write > 0)
        #expect(bench.server.uploads.isEmpty && bench.server.refusals.isEmpty)
        #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0")

        // The words, white with a dark edge, are in the lower part of the picture, and nowhere else.
        let folder = try Scratch()
        let with = try bench.decoded(result.key ?? "", in: folder)
        let without = try bench.decoded(plainResult.key ?? "", in: folder)
        let (a, b) = (try #require(with.video?.frames.last), try #require(without.video?.frames.last))
        #expect(abs(a.luma.mean(0.3...0.7, 0.75...0.95) - b.luma.mean(0.3...0.7, 0.75...0.95)) > 10)
        #expect(abs(a.luma.mean(0...1, 0...0.4) - b.luma.mean(0...1, 0...0.4)) < 4)
    }

    @Test func `Sound goes into a container that takes it, in chunks if asked for`() async throws {
        let bench = try await ServiceBench()
        bench.putClip(seconds: 4)
        let whole = try await bench.enqueue(
            "media.extract_audio", #"{"input": "s3://media/in/clip.mkv", "preset": "speech"}"#)
        let chunks = try await bench.enqueue(
            "media.extract_audio",
            #"{"input": "s3://media/in/clip.mkv", "output": "store://out/{jobId}-{n}.{extension}", "container": "flac", "splitAtSilence": 2}"#
        )
        try await bench.serving { _ in
            let sound = try await bench.result(whole)
            #expect(sound.key?.hasSuffix(".wav") == true)
            #expect(sound.streams.map(\.sampleRate) == [16_000] && sound.streams.map(\.channels) == [1])
            let parts = try await bench.result(chunks)
            let id = chunks.uuidString.lowercased()
            #expect(parts.outputs.count >= 2)
            #expect(parts.outputs.first?.key == "out/\(id)-001.flac")
            #expect(parts.outputs.map { $0.start ?? -1 } == parts.outputs.map { $0.start ?? -1 }.sorted())
            #expect(abs(parts.outputs.map(\.duration).reduce(0, +) - 4) < 0.05)
            for part in parts.outputs {
                #expect((bench.server.bytes(part.key ?? "") ?? []).starts(with: Array("fLaC".utf8)))
            }
        }
    }

    @Test func `Sound is normalized, then mixed under a film`() async throws {
        let bench = try await ServiceBench()
        let workbench = try Workbench()
        _ = try await workbench.movie(.ordinary(seconds: 2, width: 320, height: 180))
        bench.server.put("in/movie.mp4", workbench.scratch.bytes("movie.mp4"))
        let normalized = try await bench.enqueue(
            "media.normalize_loudness",
            #"{"input": "s3://media/in/movie.mp4", "container": "wav", "output": "store://out/a.wav"}"#)
        try await bench.serving { _ in
            let made = try await bench.result(normalized)
            #expect(made.key == "out/a.wav" && made.container == "wav")
            let loudness = try #require(made.loudness?.first?.after.integrated)
            #expect(abs(loudness - -16) < 0.5)
            let mixed = try await bench.enqueue(
                "media.mix_audio",
                #"{"inputs": [{"input": "store://out/a.wav", "gain": -3}], "video": "s3://media/in/movie.mp4", "container": "mkv"}"#
            )
            let film = try await bench.result(mixed)
            #expect(film.streams.map(\.kind) == ["video", "audio"])
            #expect(film.streams.map(\.copied) == [true, false])
        }
    }

    @Test func `A probe tells what is in a file, and writes nothing`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        let id = try await bench.enqueue("media.probe", #"{"operation": "probe", "input": "s3://media/in/clip.mkv"}"#)
        let result = try await bench.serving { _ in try await bench.result(id) }
        #expect(result.info?.streams.map(\.kind) == ["video", "audio"])
        #expect(result.info?.streams.first?.video?.width == 320)
        #expect(result.url == nil && result.outputs.isEmpty)
        #expect(bench.server.keys == ["in/clip.mkv"])
    }

    @Test func `What a payload gets wrong is said by its name, and no attempt is wasted`() async throws {
        let bench = try await ServiceBench()
        let cases = [
            ("media.transcode", #"{"input": "s3://media/a", "vidoe": {}}"#, "vidoe"),
            ("media.transcode", #"{"input": "s3://media/a", "video": {"crf": "low"}}"#, "crf"),
            ("media.transcode", #"{"operation": "probe", "input": "s3://media/a"}"#, "transcode"),
            ("media.transcode", #"{"video": {}}"#, "input"),
            ("media.transcode", #"{"input": "s3://media/a", "video": {"crf": 99}}"#, "crf"),
            ("media.transcode", #"{"input": "/etc/passwd"}"#, "s3://"),
            ("media.transcode", #"{"input": "file:///etc/passwd"}"#, "file://"),
            ("media.probe", #"{"input": "s3://a/b", "webhook": {"url": "https://x.example", "event": "a"}}"#, "event"),
            ("media.probe", #"{"input": "s3://media/a", "webhook": "ftp://x"}"#, "webhook"),
            ("http.request", #"{"url": "https://x.example", "timeout": 0}"#, "timeout"),
        ]
        var ids: [JobID] = []
        for (kind, payload, _) in cases { ids.append(try await bench.enqueue(kind, payload)) }
        try await bench.serving { [ids] _ in
            for (id, test) in zip(ids, cases) {
                let job = try await bench.failed(id)
                #expect(job.state == .dead && job.attempt == 1, "\(test)")
                let message = job.errors?.last?.message ?? ""
                #expect(message.contains(test.2), "\(test): \(message)")
            }
        }
    }

    @Test func `Bad media is dead at once, with what libav said of it`() async throws {
        let bench = try await ServiceBench()
        // Of a real file, without its second half.
        let clip = TestClip.ordinary(seconds: 2).bytes
        bench.server.put("in/bad.mkv", Array(clip.prefix(400)) + [UInt8](repeating: 0xA5, count: 20_000))
        let bad = try await bench.enqueue(
            "media.transcode", #"{"input": "s3://media/in/bad.mkv", "video": {"crf": 30}}"#)
        let missing = try await bench.enqueue("media.transcode", #"{"input": "s3://media/in/none.mkv"}"#)
        try await bench.serving { _ in
            let job = try await bench.failed(bad)
            #expect(job.state == .dead && job.attempt == 1)
            #expect(job.errors?.last?.code == "permanent")
            let log = "\(job.errors?.last?.log ?? .null)"
            #expect(log.contains("libav: "))
            let gone = try await bench.failed(missing)
            #expect(gone.state == .dead && gone.attempt == 1)
            #expect(gone.errors?.last?.message?.contains("s3://media/in/none.mkv") == true)
        }
        #expect(bench.server.keys == ["in/bad.mkv"])
    }

    @Test func `A large picture weighs more than it was enqueued with, a small one does not`() async throws {
        let bench = try await ServiceBench()
        bench.server.put(
            "in/large.mkv", TestClip(video: TestClip.Video(frames: 3, width: 1920, height: 1088)).bytes)
        bench.putClip("in/small.mkv", seconds: 0.4)
        func payload(_ name: String) -> String {
            #"{"input": "s3://media/in/\#(name).mkv", "video": {"codec": "h264", "preset": "veryfast"}}"#
        }
        let large = try await bench.enqueue("media.transcode", payload("large"))
        let small = try await bench.enqueue("media.transcode", payload("small"))
        try await bench.serving { _ in
            _ = try await bench.result(large)
            _ = try await bench.result(small)
        }
        let job = try #require(try await bench.queue.job(large))
        #expect(job.cores == 2 && job.memory > 256 << 20)
        #expect(try await bench.queue.job(small)?.cores == 1)
    }
}
