import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// Workers that are told to end while they have much to do.
    @Suite(.timeLimit(.minutes(10))) struct ShutdownTests {
        private static let sound = #"{"input": "s3://media/in/clip.mkv", "preset": "speech"}"#
        private static let clip = TestClip.ordinary(seconds: 1).bytes

        /// The jobs' attempts that were charged, and those that failed.
        private func charges(_ ids: [JobID], _ bench: ProofBench) async throws -> [String] {
            var charges: [String] = []
            for id in ids {
                let job = try await bench.job(id)
                charges.append("\(job.state) after \(job.attempt), \((job.errors ?? []).count) failed")
            }
            return Array(Set(charges)).sorted()
        }

        @Test func `SIGTERM under load ends a worker in good order: nothing is lost, and no attempt is charged`()
            async throws
        {
            let release = ThreadSignal()
            let server = try S3Server { request in
                request.operation == .get && request.key == "in/clip.mkv" ? .hold(release) : nil
            }
            let film = HeldFilm(on: server)
            defer {
                film.rest.raise()
                release.raise()
            }
            server.put("in/clip.mkv", Self.clip)
            let bench = try await ProofBench.on(server)
            let load = ["KILN_CORES": "4", "SHUTDOWN_GRACE": "1s"]
            // A burn-in in its middle, sound that waits for its input, and more of that than is run at a time.
            let burn = try await bench.enqueue("media.burn_subtitles", HeldFilm.burn)
            let first = try await bench.worker(load)
            try await bench.middle(of: burn, on: server)
            var ids = [burn]
            for _ in 0..<10 { ids.append(try await bench.enqueue("media.extract_audio", Self.sound)) }
            _ = try await bench.until {
                server.requests(.get).count { $0.key == "in/clip.mkv" } >= 3 ? true : nil
            }
            first.signal(SIGTERM)
            #expect(await first.end() == 0, "\(bench.logs)")
            #expect(try await charges(ids, bench) == ["ready after 0, 0 failed"])
            #expect(try await bench.sql("SELECT count(*) FROM kiln.worker WHERE state <> 'gone'") == "0")
            #expect(try await bench.size(of: HeldFilm.output) == nil)

            film.rest.raise()
            release.raise()
            let second = try await bench.worker(load)
            var keys: Set<String> = [HeldFilm.key, "in/clip.mkv"]
            for id in ids { keys.insert(try await bench.result(id).key ?? "") }
            #expect(try await charges(ids, bench) == ["succeeded after 1, 0 failed"])
            try await bench.sweepUploads()
            #expect(Set(server.keys) == keys && keys.count == 2 + ids.count)
            let scratch = try Scratch()
            let result = try await bench.result(burn)
            #expect(try HeldFilm.flaw(try await bench.file(result, in: scratch)) == nil)
            second.signal(SIGTERM)
            #expect(await second.end() == 0, "\(bench.logs)")
        }

        @Test func `Workers that take turns in the midst of a rush lose nothing and charge nothing`() async throws {
            let server = try S3Server()
            server.put("in/clip.mkv", Self.clip)
            let bench = try await ProofBench.on(server)
            let job = NewJob("media.extract_audio", RawJSON(Self.sound))
            let ids = try await bench.queue.enqueueMany(Array(repeating: job, count: 60))
            // Each is told to end when it has done some, whatever it does at that moment.
            for turn in 1...3 {
                let worker = try await bench.worker(["SHUTDOWN_GRACE": "0s"])
                _ = try await bench.result(ids[turn * 15])
                worker.signal(SIGTERM)
                #expect(await worker.end() == 0, "\(bench.logs)")
            }
            let last = try await bench.worker()
            for id in ids { _ = try await bench.result(id) }
            #expect(try await charges(ids, bench) == ["succeeded after 1, 0 failed"])
            #expect(server.keys.count == 1 + ids.count)
            last.signal(SIGTERM)
            #expect(await last.end() == 0, "\(bench.logs)")
        }

        @Test func `A second signal ends a worker at once, and another does its job when the lease is over`()
            async throws
        {
            let server = try S3Server()
            let film = HeldFilm(on: server)
            defer { film.rest.raise() }
            let bench = try await ProofBench.on(server)
            let id = try await bench.enqueue("media.burn_subtitles", HeldFilm.burn)
            let first = try await bench.worker(["SHUTDOWN_GRACE": "1h"])
            try await bench.middle(of: id, on: server)
            first.signal(SIGTERM)
            _ = try await bench.until {
                try await bench.queue.workers().contains { $0.state == "draining" } ? true : nil
            }
            first.signal(SIGTERM)
            #expect(await first.end() == ExitStatus.cancelled.rawValue, "\(bench.logs)")
            try await bench.endLease(of: first.pid)
            let second = try await bench.worker()
            film.rest.raise()
            let result = try await bench.result(id)
            let job = try await bench.job(id)
            #expect(job.attempt == 1 && job.errors?.map(\.outcome) == ["worker_lost"], "\(job)")
            try await bench.sweepUploads()
            #expect(server.keys == [HeldFilm.key, HeldFilm.output])
            #expect(try await bench.size(of: HeldFilm.output) == result.size)
            second.signal(SIGTERM)
            #expect(await second.end() == 0, "\(bench.logs)")
        }
    }
}
