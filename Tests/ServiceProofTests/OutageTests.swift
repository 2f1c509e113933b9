import Foundation
import JobQueue
import PostgresTestSupport
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// What a worker needs is away for a while, in the middle of its work.
    @Suite(.timeLimit(.minutes(10))) struct OutageTests {
        @Test(arguments: ["fast", "immediate"])
        func `A burn-in goes on when the database is there again, and is done once`(_ mode: String) async throws {
            let cluster = try await PostgresCluster.start()
            do {
                try await restart(cluster, mode)
            } catch {
                await cluster.remove()
                throw error
            }
            await cluster.remove()
        }

        private func restart(_ cluster: PostgresCluster, _ mode: String) async throws {
            let server = try S3Server()
            let film = HeldFilm(on: server)
            defer { film.rest.raise() }
            let bench = try await ProofBench.on(server, database: try await cluster.makeQueueDatabase())
            let id = try await bench.enqueue("media.burn_subtitles", HeldFilm.burn)
            // The server is there again before its lease is over, also on a machine that has much to do.
            let worker = try await bench.worker()
            try await bench.middle(of: id, on: server)
            try await cluster.restart(mode: mode)
            film.rest.raise()
            let result = try await bench.result(id)

            let job = try await bench.job(id)
            #expect(job.attempt == 1 && (job.errors ?? []).isEmpty, "\(job)\n\(bench.logs)")
            #expect(server.requests(.createUpload).count == 1 && server.requests(.completeUpload).count == 1)
            #expect(server.keys == [HeldFilm.key, HeldFilm.output] && server.uploads.isEmpty)
            #expect(try await bench.sql("SELECT count(*) FROM kiln.job_history WHERE id = '\(id)'") == "1")
            let scratch = try Scratch()
            #expect(try HeldFilm.flaw(try await bench.file(result, in: scratch)) == nil)
            worker.signal(SIGTERM)
            #expect(await worker.end() == 0, "\(bench.logs)")
        }

        @Test func `A burn-in is done although the store was away in its middle`() async throws {
            let outage = StoreOutage(of: Proof.isEndurance ? .seconds(20) : .seconds(4))
            let server = try S3Server { outage.fault($0) }
            let film = HeldFilm(on: server)
            film.rest.raise()
            let bench = try await ProofBench.on(server)
            let id = try await bench.enqueue("media.burn_subtitles", HeldFilm.burn)
            // As it is unless it is set: the attempts of a job outlast the store's absence.
            let worker = try await bench.worker(["RETRY_DELAY_MS": "5000"])
            let result = try await bench.result(id)

            #expect(outage.refused > 0)
            // In its middle: there was a part already.
            #expect(server.requests(.uploadPart).count > 2)
            let job = try await bench.job(id)
            #expect((job.errors ?? []).allSatisfy { $0.outcome == "failed" }, "\(job)")
            #expect(job.attempt == 1 + (job.errors ?? []).count, "\(job)")
            try await bench.sweepUploads()
            #expect(server.keys == [HeldFilm.key, HeldFilm.output])
            let scratch = try Scratch()
            #expect(try HeldFilm.flaw(try await bench.file(result, in: scratch)) == nil)
            worker.signal(SIGTERM)
            #expect(await worker.end() == 0, "\(bench.logs)")
        }
    }
}
