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

            let running = workers
            let checks = MixedCheck(bench: bench, scratch: try Scratch())
            async let sampled = watch(running, bench, upTo: count)
            for (number, id) in ids.enumerated() {
                let flaw = try await checks.flaw(of: id, sorts[number])
                #expect(flaw == nil, "\(sorts[number]): \(flaw ?? "")\n\(bench.logs)")
            }
            // Of both, while they work: what they keep for further work must not follow the number of jobs. The first
            // quarter of the jobs fills what is kept.
            let samples = try await sampled
            let levels = [(0.25, 0.5), (0.5, 0.75), (0.75, 1)].compactMap { from, to in
                Self.median(samples.filter { (from..<to).contains(Double($0.finished) / Double(count)) }.map(\.bytes))
            }
            try #require(levels.count == 3, "\(samples)")
            // Half of the jobs lie between the middles of the first and the last.
            let slope = (levels[2] - levels[0]) / (count / 2)
            #expect(slope < (isEndurance ? 256 << 10 : 1 << 20), "\(slope >> 10) KiB a job: \(levels)")
            print("\(count) jobs, \(server.requests.count) requests, faults \(network.injected)")
            print("resident: \(levels.map { $0 >> 20 }) MiB, \(slope >> 10) KiB a job")

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

        private struct Sample: Sendable {
            /// Jobs that have come to their end.
            var finished: Int
            /// Of all workers.
            var bytes: Int
        }

        /// What the workers hold, again and again, until that many jobs have ended.
        private func watch(
            _ workers: [RunningKiln], _ bench: ProofBench, upTo count: Int
        ) async throws -> [Sample] {
            var samples: [Sample] = []
            while true {
                let finished = Int(try await bench.sql("SELECT count(*) FROM kiln.job_history")) ?? 0
                guard finished < count else { return samples }
                samples.append(Sample(finished: finished, bytes: workers.map(\.residentBytes).reduce(0, +)))
                try await Task.sleep(for: .milliseconds(200))
            }
        }

        /// `nil` of nothing.
        private static func median(_ values: [Int]) -> Int? {
            values.isEmpty ? nil : values.sorted()[values.count / 2]
        }
    }
}
