import ChaosKit
import Foundation
import PostgresTestSupport
import Testing

/// Each test injects one fault into three worker processes under load, and counts in the database what came of it.
/// `scripts/chaos` does the same for longer.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ChaosTests {
    @Test func `killing workers again and again loses nothing and doubles nothing`() async throws {
        let counts = try await run(.killed, faults: 4)
        #expect(counts.faults == 4)
        #expect(counts.workerDeaths >= counts.faults)
    }

    @Test func `a worker frozen beyond its lease can write nothing when it comes back`() async throws {
        let counts = try await run(.frozen)
        #expect(counts.refused >= 10)
    }

    @Test func `connections that break off cost no job`() async throws { try await run(.terminated) }

    @Test func `work goes on after a restart of the server`() async throws { try await run(.restarted) }

    @Test func `work goes on after a crash of the server`() async throws { try await run(.crashed) }

    @Test func `an outage as long as the lease loses nothing`() async throws {
        let counts = try await run(.outage)
        #expect(counts.failedCalls > 0)
    }

    @Test func `a worker whose packets vanish stops, and what arrives of it later changes nothing`() async throws {
        let counts = try await run(.blackhole)
        #expect(counts.leasesLost >= 1)
    }

    @Test func `workers get over strangers that take every connection`() async throws { try await run(.exhausted) }

    @Test func `a transaction left open holds nobody up`() async throws { try await run(.idleTransaction) }

    @Test func `a job that kills its process is given up, and its neighbours succeed`() async throws {
        let counts = try await run(.poison)
        #expect(counts.crashSuspects == 1)
        #expect(counts.workerDeaths >= 3)
    }

    @Test func `handlers that keep every thread busy do not cost the lease`() async throws {
        let counts = try await run(.starved)
        #expect(counts.leasesLost == 0)
        #expect(counts.runAgain == 0)
    }

    @discardableResult
    private func run(_ experiment: Experiment, faults: Int = 1) async throws -> ChaosCounts {
        let counts = try await experiment.run(
            executable: try #require(Self.executable, "the executable Chaos does not lie beside the tests"),
            lease: .seconds(3), faults: faults, rate: 60, outage: .seconds(3))
        let remarks = Comment(rawValue: counts.remarks.joined(separator: "\n"))
        #expect(counts.jobs > 0)
        #expect(counts.lost == 0, remarks)
        #expect(counts.completedTwice == 0, remarks)
        #expect(counts.overwritten == 0, remarks)
        #expect(counts.overshot == 0, remarks)
        #expect(counts.outOfOrder == 0, remarks)
        return counts
    }

    private static let executable: URL? = {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let folders = [tests.deletingLastPathComponent(), Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
        return folders.flatMap { [$0, $0.deletingLastPathComponent()] }
            .map { $0.appending(path: "Chaos") }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()
}
