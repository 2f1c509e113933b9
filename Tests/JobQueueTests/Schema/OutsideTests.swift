import Foundation
import Testing

@testable import JobQueue

/// Names outside of the database, and messages about jobs.
@Suite(.serialized) struct OutsideTests {
    private func take(_ bench: QueueBench, _ job: ClaimedJob, _ name: String, replacing: Bool = false) async throws
        -> String
    {
        try await bench.value(
            "SELECT outcome FROM kiln.worker_take_name($1, $2, 's3://b', $3, $4)", job.id, job.token, name, replacing)
    }

    @Test func `a name that is forgotten while it is asked for is taken all the same`() async throws {
        let bench = try await QueueBench()
        try await bench.enqueue("a")
        let worker = try await bench.worker("a")
        let job = try await worker.claimOne()
        try await bench.run("INSERT INTO kiln.outside_name (place, name, job) VALUES ('s3://b', 'x', $1)", UUID())
        // The row is there for the insert, and gone when its owner is to be read.
        let (other, waiting) = (try await bench.another(), try await bench.another())
        let process = try await waiting.process()
        try await other.run("BEGIN")
        try await other.run("SELECT FROM kiln.outside_name FOR UPDATE")
        async let outcome = take(waiting, job, "x")
        try await bench.waitUntilBlocked(seenBy: bench, process: process)
        try await other.run("DELETE FROM kiln.outside_name")
        try await other.run("COMMIT")
        #expect(try await outcome == "taken")
        #expect(try await bench.values("SELECT job FROM kiln.outside_name") == [job.id])
    }

    @Test func `each name is looked at once a day, and goes with its job`() async throws {
        let bench = try await QueueBench()
        let kept = try await bench.enqueue("a")
        for index in 0..<5 {
            try await bench.run(
                """
                INSERT INTO kiln.outside_name (place, name, job, looked_at)
                VALUES ('p', $1, $2, now() - interval '2 days'), ('p', $1 || ' young', gen_random_uuid(), now())
                """, "\(index)", index == 3 ? kept : UUID())
        }
        func forget() async throws -> Int { try await bench.value("SELECT kiln.worker_forget_names(3)") }
        #expect(try await [forget(), forget(), forget()] == [3, 2, 0])
        let names: [String] = try await bench.values(
            "SELECT name FROM kiln.outside_name WHERE name !~ 'young' ORDER BY name")
        #expect(names == ["3"])
        #expect(try await bench.value("SELECT count(*) FROM kiln.outside_name", as: Int.self) == 6)
    }

    @Test func `a message is tried as often as its kind says, though no worker has registered that`() async throws {
        let bench = try await QueueBench()
        try await bench.run(
            "SELECT kiln.cancel(kiln.enqueue('a', '{\"webhook\": \"https://app.example.com\"}'))")
        let message: String = try await bench.value(
            "SELECT concat_ws(' ', max_attempts, cores, memory) FROM kiln.job WHERE kind = 'webhook.deliver'")
        #expect(message == "15 0.05 4194304")
    }

    @Test func `a job that is kept for its child beyond the retention tells nobody again`() async throws {
        let bench = try await QueueBench()
        let parent = UUID()
        func insert(_ id: UUID, _ finished: String) async throws {
            try await bench.run(
                """
                INSERT INTO kiln.job_history (id, outcome, finished_at, kind, queue, priority, run_at, payload, attempt,
                    max_attempts, cores, memory, crashes, created_at, created_by, changed_by)
                VALUES ($1, 'succeeded', '\(finished)', 'z', 'z', 0, now(), '{"webhook": "https://app.example.com"}', 1,
                    1, 1, 0, 0, now(), 'postgres', 'x')
                """, id)
        }
        func messages() async throws -> Int {
            try await bench.value("SELECT count(*) FROM kiln.job WHERE kind = 'webhook.deliver'")
        }
        try await bench.run(
            """
            CREATE TABLE kiln.job_history_succeeded_20200101 PARTITION OF kiln.job_history_succeeded
            FOR VALUES FROM ('2020-01-01Z') TO ('2020-01-02Z')
            """)
        // An end is one by whatever the clock says.
        try await insert(parent, "2020-01-01 05:00Z")
        #expect(try await messages() == 1)
        try await bench.enqueue("z", "depends_on => ARRAY[$2::uuid], run_at => '2100-01-01'", parent)
        #expect(try await bench.maintain("rarely").contains(#""partitions_dropped": 1"#))
        #expect(try await bench.state(parent) == "succeeded")
        #expect(try await messages() == 1)
    }
}
