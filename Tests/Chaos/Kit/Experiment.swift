package import Foundation
import PostgresTestSupport

/// A fault, injected into a queue at work.
package enum Experiment: String, CaseIterable, Sendable {
    case killed = "worker killed (SIGKILL)"
    case frozen = "worker frozen beyond its lease (SIGSTOP, SIGCONT)"
    case terminated = "connections broken off (pg_terminate_backend)"
    case restarted = "server restarted (fast)"
    case crashed = "server crashed (immediate)"
    case outage = "server away"
    case blackhole = "network black hole"
    case exhausted = "no connections left"
    case idleTransaction = "an app's transaction left open"
    case poison = "a job that kills its process"
    case starved = "handlers that keep every thread busy"
    case everything = "all of these at random"

    /// Runs it.
    ///
    /// - Parameters:
    ///   - duration: for how long faults follow one another.
    ///   - faults: how many there are at least, however long that takes.
    ///   - outage: how long the server stays away, and a transaction open.
    /// - Throws: `ChaosError` when the queue does not even begin to work or to recover.
    package func run(
        executable: URL, lease: Duration, duration: Duration = .zero, faults: Int = 1, rate: Double,
        outage: Duration
    ) async throws -> ChaosCounts {
        var setup = ChaosBench.Setup(executable: executable, lease: lease)
        setup.rate = rate
        switch self {
        case .restarted, .crashed, .outage: setup.configuration = []
        case .exhausted: setup.configuration = ["max_connections = 40", "superuser_reserved_connections = 0"]
        case .blackhole: setup.isProxied = true
        case .everything:
            setup.configuration = []
            setup.isProxied = true
        case .killed, .frozen, .terminated, .idleTransaction, .poison, .starved: break
        }
        return try await ChaosBench.with(setup) { bench in
            bench.producer.start()
            try await bench.waitForWork()
            let end = ContinuousClock.now + duration
            repeat {
                try await inject(into: bench, outage: outage)
            } while bench.faults < faults || ContinuousClock.now < end
            let isSettled = try await bench.settle(within: lease * 10 + .seconds(60))
            var counts = try await bench.count()
            if !isSettled { counts.remarks.insert("jobs are left over", at: 0) }
            return counts
        }
    }

    private func inject(into bench: ChaosBench, outage: Duration) async throws {
        switch self {
        case .killed:
            try await bench.kill()
            try await Task.sleep(for: bench.setup.lease / 2)
        case .frozen: try await bench.freeze()
        case .terminated: try await bench.terminateBackends(count: 20, every: .milliseconds(200))
        case .restarted: try await bench.restart(mode: "fast")
        case .crashed: try await bench.restart(mode: "immediate")
        case .outage: try await bench.outage(outage)
        case .blackhole: try await bench.blackhole()
        case .exhausted: try await bench.exhaust()
        case .idleTransaction: try await bench.idleTransaction(outage)
        case .poison: try await bench.poison()
        case .starved: try await bench.starve()
        case .everything:
            // Without what needs a cluster of its own kind, and the slowest.
            let faults: [Experiment] = [
                .killed, .frozen, .terminated, .restarted, .crashed, .outage, .blackhole, .idleTransaction, .starved,
            ]
            try await faults.randomElement()?.inject(into: bench, outage: bench.setup.lease * 1.5)
            return
        }
        // So that what comes next finds a queue that has begun to recover.
        let before: Int = try await bench.value("SELECT count(*) FROM chaos.finish")
        try await bench.wait(within: .seconds(30)) {
            try await bench.value("SELECT count(*) > $1 + 20 FROM chaos.finish", [before])
        }
    }
}
