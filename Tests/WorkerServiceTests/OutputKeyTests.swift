import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// Whose a key is.
@Suite struct OutputKeyTests {
    @Test func `A retry writes the same key, and waits for as long as the store asks`() async throws {
        let bench = try await ServiceBench { request in
            request.operation == .put && request.index == 0
                ? .status(503, code: "SlowDown", headers: ["Retry-After": "3600"]) : nil
        }
        bench.putClip()
        let id = try await bench.enqueue(
            "media.extract_audio", #"{"input": "s3://media/in/clip.mkv", "container": "wav"}"#)
        try await bench.serving { _ in
            let waiting = try await bench.until(id) { $0.state == .failed }
            #expect(waiting.attempt == 1)
            #expect(waiting.runAt.timeIntervalSinceNow > 3000)
            try await bench.queue.retry(id)
            let result = try await bench.result(id)
            #expect(bench.server.keys.filter { $0.hasPrefix("rendered/") } == [result.key])
        }
        let puts = bench.server.requests(.put).map(\.key)
        #expect(puts.count == 2 && Set(puts).count == 1)
    }

    @Test func `An attempt may replace what an earlier one of its job has written, and nobody else's`() async throws {
        // The first attempt's answer is lost when the object is there already, and it does not try again by itself.
        let bench = try await ServiceBench()
        bench.putClip()
        bench.server.put("out/old.wav", [1, 2, 3])
        @Sendable func payload(_ key: String, _ more: String = "") -> String {
            #"{"input": "s3://media/in/clip.mkv", "output": "s3://media/out/\#(key)"\#(more)}"#
        }
        try await bench.serving { _ in
            let first = try await bench.enqueue("media.extract_audio", payload("a.wav"))
            let made = try await bench.result(first)
            // What was there before jobs were.
            let refused = try await bench.failed(try await bench.enqueue("media.extract_audio", payload("old.wav")))
            #expect(refused.state == .dead && refused.attempt == 1)
            #expect(bench.server.bytes("out/old.wav") == [1, 2, 3])
            let second = try await bench.failed(try await bench.enqueue("media.extract_audio", payload("a.wav")))
            #expect(second.state == .dead && second.attempt == 1)
            #expect(bench.server["out/a.wav"]?.etag.rawValue == made.etag)
            // Not even where the object is gone meanwhile: its result says that it is there.
            bench.server["out/a.wav"] = nil
            let third = try await bench.failed(try await bench.enqueue("media.extract_audio", payload("a.wav")))
            #expect(third.errors?.last?.message?.contains(first.uuidString.lowercased()) == true)
            #expect(bench.server["out/a.wav"] == nil)
            // Asked for, it is.
            let fourth = try await bench.enqueue("media.extract_audio", payload("a.wav", #", "overwrite": true"#))
            _ = try await bench.result(fourth)
            _ = try await bench.result(
                try await bench.enqueue("media.extract_audio", payload("old.wav", #", "overwrite": true"#)))
            #expect((bench.server.bytes("out/old.wav") ?? []).starts(with: Array("RIFF".utf8)))
        }
    }

    @Test func `A job that writes where it wrote before its worker died goes on there`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        let id = try await bench.enqueue(
            "media.extract_audio", #"{"input": "s3://media/in/clip.mkv", "output": "s3://media/out/a.wav"}"#)
        // As an attempt leaves it that has completed its upload and not told the queue.
        try await bench.sql(
            "INSERT INTO kiln.outside_name (place, name, job) VALUES ('s3://media', 'out/a.wav', '\(id)')")
        var left = S3Object(.bytes([1, 2, 3]))
        left.metadata = ["x-amz-meta-kiln-job": id.uuidString.lowercased()]
        bench.server["out/a.wav"] = left
        _ = try await bench.serving { _ in try await bench.result(id) }
        #expect((bench.server.bytes("out/a.wav") ?? []).starts(with: Array("RIFF".utf8)))
    }

    @Test(arguments: [nil, "00000000-0000-7000-8000-0000000000ab"])
    func `What somebody else has put under a job's key meanwhile stays`(_ job: String?) async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        let id = try await bench.enqueue(
            "media.extract_audio", #"{"input": "s3://media/in/clip.mkv", "output": "s3://media/out/a.wav"}"#)
        try await bench.sql(
            "INSERT INTO kiln.outside_name (place, name, job) VALUES ('s3://media', 'out/a.wav', '\(id)')")
        var foreign = S3Object(.bytes([1, 2, 3]))
        foreign.metadata["x-amz-meta-kiln-job"] = job
        bench.server["out/a.wav"] = foreign
        try await bench.serving { _ in
            let refused = try await bench.failed(id)
            #expect(refused.state == .dead && refused.attempt == 1)
            #expect(refused.errors?.last?.message?.contains("was not written by this job") == true)
        }
        #expect(bench.server.bytes("out/a.wav") == [1, 2, 3])
    }

    @Test func `A file belongs to the job that took it, as an object does`() async throws {
        var bench = try await ServiceBench()
        bench.putClip()
        let folder = try Scratch()
        bench.configuration.outputs.fileRoots = [folder.path]
        let payload = #"{"input": "s3://media/in/clip.mkv", "output": "file://\#(folder.path)/a.wav"}"#
        let id = try await bench.enqueue("media.extract_audio", payload)
        // As an attempt leaves it whose worker was killed between renaming the file and telling the queue.
        try await bench.sql(
            """
            INSERT INTO kiln.outside_name (place, name, job) VALUES ('file://', '\(folder("a.wav"))', '\(id)')
            """)
        try folder.put("a.wav", [1, 2, 3])
        try await bench.serving { [bench] _ in
            _ = try await bench.result(id)
            #expect(folder.bytes("a.wav").starts(with: Array("RIFF".utf8)))
            let other = try await bench.failed(try await bench.enqueue("media.extract_audio", payload))
            #expect(other.state == .dead)
        }
        #expect(folder.names == ["a.wav"])
    }

    @Test func `An output on the web is known by its URL, of whose query nothing is kept`() throws {
        func name(_ url: String) throws -> OutputName { OutputName(try ObjectLocation(url), nil) }
        let signed = try name("https://files.example.com/up/a.mp4?signature=secret")
        #expect(signed.place == "https://files.example.com" && signed.name.hasPrefix("/up/a.mp4?"))
        #expect(!signed.name.contains("secret"))
        #expect(try signed == name("https://files.example.com/up/a.mp4?signature=secret"))
        #expect(try signed != name("https://files.example.com/up/a.mp4?signature=other"))
        #expect(try name("https://files.example.com/up/a.mp4").name == "/up/a.mp4")
    }

    @Test func `Templates are filled in with what stays the same over attempts`() throws {
        let id = try #require(UUID(uuidString: "00000000-0000-7000-8000-0000000000AB"))
        let place = OutputPlace(
            id: id, createdAt: Date(timeIntervalSince1970: 1_700_000_000.1239), kind: "media.transcode")
        #expect(
            place.location(
                asked: "", template: "rendered/{jobId}-{timestamp}.{extension}", fileExtension: "ts")
                == "store://rendered/00000000-0000-7000-8000-0000000000ab-1700000000123.ts")
        #expect(
            place.location(asked: "s3://b/{kind}/{jobId}.mp4", template: "x{jobId}", fileExtension: "mp4")
                == "s3://b/media.transcode/00000000-0000-7000-8000-0000000000ab.mp4")
        #expect(place.location(asked: "", template: "a b/{jobId}", fileExtension: "mp4").hasPrefix("store://a%20b/"))
    }
}
