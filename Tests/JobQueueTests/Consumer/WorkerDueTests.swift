import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

/// Workers that do no housekeeping and hardly ever look by themselves: what they start they were told of.
@Suite(.timeLimit(.minutes(6)))
struct WorkerDueTests {
    private func sleeper(_ bench: WorkerBench) async throws {
        try await bench.serve(
            "test", KindOptions(),
            {
                $0.maintains = false
                $0.pollInterval = .seconds(3600)
            }
        ) { (job: Job<Nothing>) in "done" }
        try await bench.wait(sql: "SELECT asleep FROM kiln.worker")
    }

    @Test func `a sleeping worker starts what comes due soon after it was enqueued`() async throws {
        try await WorkerBench.with { bench in
            try await sleeper(bench)
            for delay in [400, 250, 900] {
                let id = try await bench.enqueue("test", "{}", "run_at => clock_timestamp() + interval '\(delay) ms'")
                try await bench.wait(id, "succeeded")
            }
            // Told of a later one first.
            let late = try await bench.enqueue("test", "{}", "run_at => clock_timestamp() + interval '800 ms'")
            let soon = try await bench.enqueue("test", "{}", "run_at => clock_timestamp() + interval '200 ms'")
            try await bench.wait(late, "succeeded")
            #expect(
                try await bench.connection.value(
                    """
                    SELECT (SELECT claimed_at FROM kiln.job_history WHERE id = $1)
                        <= (SELECT claimed_at FROM kiln.job_history WHERE id = $2)
                    """,
                    [soon, late], as: Bool.self))
        }
    }

    @Test func `what was scheduled long before is started when its time comes, as somebody's housekeeping tells`()
        async throws
    {
        try await WorkerBench.with { bench in
            try await sleeper(bench)
            let id = try await bench.enqueue("test", "{}", "run_at => clock_timestamp() + interval '1 hour'")
            try await bench.run(
                "UPDATE kiln.job SET run_at = clock_timestamp() + interval '700 ms' WHERE id = $1", [id])
            try await bench.run("SELECT kiln.maintain('often')")
            try await bench.wait(id, "succeeded")
        }
    }
}
