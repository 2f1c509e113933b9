import Foundation
import JobQueue
import ServiceLifecycle
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// How the process begins and ends.
@Suite struct WorkerServiceTests {
    @Test func `A drain hands back what is not done in time, at no cost, and the next worker does it`() async throws {
        let release = ThreadSignal()
        let bench = try await ServiceBench { request in
            request.operation == .get && request.key == "in/clip.mkv" && request.index == 0 ? .hold(release) : nil
        }
        bench.putClip()
        let id = try await bench.enqueue("media.extract_audio", #"{"input": "s3://media/in/clip.mkv"}"#)
        try await bench.serving { group in
            _ = try await bench.until { bench.server.requests(.get).isEmpty ? nil : true }
            await group.triggerGracefulShutdown()
            let job = try await bench.until(id) { $0.state == .ready }
            #expect(job.attempt == 0 && (job.errors ?? []).isEmpty)
        }
        release.raise()
        #expect(try await bench.sql("SELECT count(*) FROM kiln.worker WHERE state <> 'gone'") == "0")
        _ = try await bench.serving { _ in try await bench.result(id) }
        #expect(try await bench.queue.job(id)?.attempt == 1)
    }

    @Test func `A drain lets run what is done in time`() async throws {
        let release = ThreadSignal()
        var bench = try await ServiceBench { request in
            request.operation == .get && request.key == "in/clip.mkv" && request.index == 0 ? .hold(release) : nil
        }
        bench.configuration.worker.shutdownGrace = .seconds(120)
        bench.putClip()
        let id = try await bench.enqueue("media.extract_audio", #"{"input": "s3://media/in/clip.mkv"}"#)
        try await bench.serving { [bench] group in
            _ = try await bench.until { bench.server.requests(.get).isEmpty ? nil : true }
            await group.triggerGracefulShutdown()
            _ = try await bench.until { () async throws -> Bool? in
                try await bench.sql("SELECT count(*) FROM kiln.worker WHERE state = 'draining'") != "0" ? true : nil
            }
            release.raise()
        }
        #expect(try await bench.queue.job(id)?.state == .succeeded)
    }

    @Test func `Only the kinds that are enabled run here, and one that there is not is named`() async throws {
        var bench = try await ServiceBench()
        bench.putClip()
        bench.configuration.worker.kinds = ["media.probe"]
        let probe = try await bench.enqueue("media.probe", #"{"input": "s3://media/in/clip.mkv"}"#)
        let other = try await bench.enqueue("media.transcode", #"{"input": "s3://media/in/clip.mkv"}"#)
        _ = try await bench.serving { [bench] _ in try await bench.result(probe) }
        let waiting = try await bench.queue.job(other)
        #expect(waiting?.state == .ready && waiting?.attempt == 0)
        let kinds = try await bench.sql("SELECT string_agg(DISTINCT k, ',') FROM kiln.worker, unnest(kinds) k")
        // Messages are delivered all the same.
        #expect(kinds == "media.probe,webhook.deliver")

        bench.configuration.worker.kinds = ["media.prob", "media.probe"]
        let failure = #expect(throws: ConfigurationFailure.self) { try WorkerService(bench.configuration) }
        let text = failure?.description ?? ""
        #expect(text.contains("media.prob,") && text.contains("did you mean media.probe?"))
    }

    @Test func `A database without the queue is said to be one`() async throws {
        var bench = try await ServiceBench()
        bench.configuration.database.schema = "elsewhere"
        let elsewhere = bench
        let failure = await #expect(throws: QueueError.self) {
            try await elsewhere.serving { _ in try await Task.sleep(for: .seconds(120)) }
        }
        #expect(failure?.code == .schema && failure?.description.contains("kiln migrate") == true)
    }

    @Test func `Jobs of a kind do not take more of a worker than is allowed`() async throws {
        let release = ThreadSignal()
        var bench = try await ServiceBench { $0.operation == .get ? .hold(release) : nil }
        bench.putClip()
        bench.configuration.worker.concurrencyPerKind = 1
        var ids: [JobID] = []
        for _ in 0..<3 { ids.append(try await bench.enqueue("media.probe", #"{"input": "s3://media/in/clip.mkv"}"#)) }
        let audio = try await bench.enqueue("media.extract_audio", #"{"input": "s3://media/in/clip.mkv"}"#)
        try await bench.serving { [bench, ids] _ in
            // One of each kind.
            _ = try await bench.until(audio) { $0.state == .running }
            _ = try await bench.until { () async throws -> Bool? in
                try await bench.sql("SELECT count(*) FROM kiln.job WHERE state = 'running'") == "2" ? true : nil
            }
            release.raise()
            for id in ids + [audio] { _ = try await bench.result(id) }
        }
    }
}
