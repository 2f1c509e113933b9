import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// Workers that die without a word.
    @Suite(.timeLimit(.minutes(10))) struct KilledWorkerTests {
        @Test func `A burn-in whose worker is killed is finished by another, once, and is visible when it is whole`()
            async throws
        {
            let complete = ThreadSignal()
            let server = try S3Server { request in
                request.operation == .completeUpload && request.index == 0 ? .hold(complete) : nil
            }
            let film = HeldFilm(on: server)
            defer {
                film.rest.raise()
                complete.raise()
            }
            let bench = try await ProofBench.on(server)
            let id = try await bench.enqueue("media.burn_subtitles", HeldFilm.burn)
            let first = try await bench.worker()
            try await bench.middle(of: id, on: server)
            #expect(try await bench.size(of: HeldFilm.output) == nil)
            first.signal(SIGKILL)
            #expect(await first.end() == -1)
            #expect(try await bench.size(of: HeldFilm.output) == nil)

            try await bench.endLease(of: first.pid)
            let second = try await bench.worker()
            film.rest.raise()
            _ = try await bench.until { server.requests(.completeUpload).isEmpty ? nil : true }
            // All of it is there, and nothing to be seen.
            #expect(try await bench.size(of: HeldFilm.output) == nil)
            complete.raise()
            let result = try await bench.result(id)
            #expect(try await bench.size(of: HeldFilm.output) == result.size)

            let job = try await bench.job(id)
            #expect(job.attempt == 1 && job.errors?.map(\.outcome) == ["worker_lost"], "\(job)")
            #expect(try await bench.process(of: job) == Int(second.pid))
            #expect(server.requests(.completeUpload).count == 1)
            let ends = try await bench.sql("SELECT count(*) FROM kiln.job_history WHERE id = '\(id)'")
            #expect(ends == "1")
            try await bench.sweepUploads()
            #expect(server.keys == [HeldFilm.key, HeldFilm.output])
            #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0")
            let scratch = try Scratch()
            #expect(try HeldFilm.flaw(try await bench.file(result, in: scratch)) == nil)
            #expect(server.refusals.isEmpty)

            second.signal(SIGTERM)
            #expect(await second.end() == 0, "\(bench.logs)")
        }
    }
}
