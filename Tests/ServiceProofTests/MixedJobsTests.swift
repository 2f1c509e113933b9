import Foundation
import JobQueue
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// All kinds of jobs at once, between a store and an app that fail every now and then.
    @Suite(.timeLimit(.minutes(30))) struct MixedJobsTests {
        @Test func `Two workers bring all jobs to the right end while one request in ten fails, in bounded memory`()
            async throws
        {
            let count = isEndurance ? 500 : 120
            let network = FaultyNetwork(every: 10, standingLimit: isEndurance ? 40 : 4)
            // What the test itself reads comes as it is.
            let server = try S3Server {
                $0.operation == .get && !$0.key.hasPrefix("in/") ? nil : network.fault($0)
            }
            for (key, bytes) in MixedJob.inputs { server.put(key, bytes) }
            let app = try Receiver { number in
                number % 10 == 4
                    ? (503, [:], "") : (200, ["Content-Type": "application/json"], #"{"sum": 3}"#)
            }
            let bench = try await ProofBench.on(server)
            let sorts = (0..<count).map { MixedJob.mix[$0 % MixedJob.mix.count] }
            let ids = try await bench.queue.enqueueMany(
                sorts.map { NewJob($0.kind, RawJSON($0.payload(app: app.url("/work")))) })
            var workers: [RunningKiln] = []
            for _ in 0..<2 { workers.append(try await bench.worker(["KILN_MAX_ATTEMPTS": "10"])) }

            let checks = MixedCheck(bench: bench, scratch: try Scratch())
            var early = 0
            for (number, id) in ids.enumerated() {
                if number == min(100, count / 2) { early = workers.map(\.residentBytes).reduce(0, +) }
                let flaw = try await checks.flaw(of: id, sorts[number])
                #expect(flaw == nil, "\(sorts[number]): \(flaw ?? "")\n\(bench.logs)")
            }
            let late = workers.map(\.residentBytes).reduce(0, +)
            // Of both. What they keep for further work need not be the same, but must not follow the number of jobs.
            #expect(early > 0 && late < early + early / 2 + 64 << 20, "\(early >> 20) MiB, then \(late >> 20) MiB")
            print("\(count) jobs, \(server.requests.count) requests, faults \(network.injected)")
            print("resident: \(early >> 20) MiB, then \(late >> 20) MiB")

            try await bench.sweepUploads()
            let made = server.keys.filter { !$0.hasPrefix("in/") }
            #expect(made.count == sorts.count { $0.makesFile })
            #expect(server.refusals.isEmpty, "\(server.refusals)")
            // It was as bad as it was meant to be.
            #expect(network.share > 0.08 && network.injected.count >= 10, "\(network.injected)")
            #expect(try await bench.sql("SELECT count(*) FROM kiln.job") == "0")
            for worker in workers {
                worker.signal(SIGTERM)
                #expect(await worker.end() == 0, "\(bench.logs)")
            }
        }
    }
}
