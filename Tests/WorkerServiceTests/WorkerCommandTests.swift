import Foundation
import JobQueue
import Logging
import PostgresTestSupport
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// The worker as a process of its own.
@Suite struct WorkerCommandTests {
    private func environment(_ bench: ServiceBench, _ more: [String: String] = [:]) -> [String: String] {
        // A lease so long that a busy machine does not cost a worker its jobs.
        ServiceBench.environment(bench.server)
            .merging(["DATABASE_URL": bench.database.url, "KILN_LEASE": "60s"]) { $1 }
            .merging(more) { $1 }
    }

    /// The process of the worker that has registered last.
    private func process(_ bench: ServiceBench) async throws -> pid_t {
        try await bench.until { () async throws -> pid_t? in
            pid_t(
                try await bench.sql(
                    "SELECT pid FROM kiln.worker WHERE state = 'alive' ORDER BY started_at DESC LIMIT 1"))
        }
    }

    @Test func `A job enqueued by a command is run by another, which SIGTERM ends`() async throws {
        let bench = try await ServiceBench()
        bench.putClip()
        async let worker = KilnProcess.run(["worker"], environment: environment(bench))
        let id = try await bench.enqueue("media.extract_audio", #"{"input": "s3://media/in/clip.mkv"}"#)
        let result = try await bench.result(id)
        #expect((bench.server.bytes(result.key ?? "") ?? []).count == Int(result.size ?? -1))
        kill(try await process(bench), SIGTERM)
        let outcome = try await worker
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(!outcome.error.contains(S3Server.credentials.secretAccessKey))
        #expect(try await bench.sql("SELECT count(*) FROM kiln.worker WHERE state <> 'gone'") == "0")
    }

    @Test func `A second signal does not wait for jobs`() async throws {
        let release = ThreadSignal()
        let bench = try await ServiceBench { $0.operation == .get ? .hold(release) : nil }
        bench.putClip()
        _ = try await bench.enqueue("media.extract_audio", #"{"input": "s3://media/in/clip.mkv"}"#)
        async let worker = KilnProcess.run(["worker"], environment: environment(bench, ["SHUTDOWN_GRACE": "1h"]))
        _ = try await bench.until { bench.server.requests(.get).isEmpty ? nil : true }
        let identifier = try await process(bench)
        kill(identifier, SIGTERM)
        _ = try await bench.until { () async throws -> Bool? in
            try await bench.sql("SELECT count(*) FROM kiln.worker WHERE state = 'draining'") != "0" ? true : nil
        }
        kill(identifier, SIGTERM)
        let outcome = try await worker
        #expect(outcome.status == ExitStatus.cancelled.rawValue)
        release.raise()
    }

    @Test func `What a killed worker had begun is done by another, once, and its upload is gone`() async throws {
        let release = ThreadSignal()
        var bench = try await ServiceBench { request in
            request.operation == .uploadPart && request.index == 0 ? .hold(release) : nil
        }
        // Two parts and more of sound.
        bench.server.put(
            "in/long.mkv",
            TestClip(audio: [TestClip.Audio(seconds: 50, channels: 4) { seconds, _ in seconds / 100 }]).bytes)
        let id = try await bench.enqueue(
            "media.extract_audio",
            #"{"input": "s3://media/in/long.mkv", "container": "wav", "audio": {"codec": "pcm"}}"#)
        let settings = environment(bench)
        async let worker = KilnProcess.run(["worker"], environment: settings)
        _ = try await bench.until { bench.server.requests(.uploadPart).isEmpty ? nil : true }
        let identifier = try await process(bench)
        kill(identifier, SIGKILL)
        let outcome = try await worker
        #expect(outcome.status != 0)
        #expect(bench.server.uploads.count == 1)
        try await bench.endLease(of: identifier)
        bench.configuration.worker.lease = .seconds(60)
        let result = try await bench.serving { [bench] _ in try await bench.result(id) }
        release.raise()
        #expect(bench.server.keys == ["in/long.mkv", result.key ?? ""])
        let job = try #require(try await bench.queue.job(id))
        #expect(job.attempt == 1 && job.errors?.map(\.outcome) == ["worker_lost"])
        // The dead worker's upload is thrown away by a sweep.
        let stores = try bench.configuration.storage.stores(web: .guarded)
        _ = try await UploadSweeper(queue: bench.queue, stores: stores, logger: .init(label: "test")).sweep()
        #expect(bench.server.uploads.isEmpty)
        #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0")
    }

    @Test func `Kinds are listed, and their schemas printed`() async throws {
        let list = try await KilnProcess.run(["kinds"])
        for name in JobKinds.names { #expect(list.text.contains(name)) }
        let one = try await KilnProcess.run(["kinds", "media.transcode", "--schema"]).decoded(JSONValue.self)
        #expect(one["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        let all = try await KilnProcess.run(["kinds", "--schema"]).decoded([String: JSONValue].self)
        #expect(Set(all.keys) == Set(JobKinds.names) && all["media.transcode"] == one)
        let none = try await KilnProcess.run(["kinds", "media.transcod"])
        #expect(none.status != 0 && none.error.contains("Did you mean media.transcode?"))
    }
}
