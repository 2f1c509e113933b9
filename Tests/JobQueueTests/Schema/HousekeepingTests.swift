import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct HousekeepingTests {
    /// A day's partition of long ago with these jobs in it.
    private func oldDay(_ bench: QueueBench, _ outcome: String, _ ids: [UUID]) async throws {
        try await bench.run(
            """
            CREATE TABLE kiln.job_history_\(outcome)_20200101 PARTITION OF kiln.job_history_\(outcome)
            FOR VALUES FROM ('2020-01-01Z') TO ('2020-01-02Z')
            """)
        for id in ids {
            try await bench.run(
                """
                INSERT INTO kiln.job_history (id, outcome, finished_at, kind, queue, priority, run_at, payload, attempt,
                    max_attempts, cores, memory, crashes, created_at, created_by, changed_by, result)
                VALUES ($1, '\(outcome)', '2020-01-01 05:00Z', 'z', 'z', 0, now(), '{}', 1, 1, 1, 0, 0, now(), 'postgres', 'x', '7')
                """, id)
            try await bench.run("INSERT INTO kiln.step VALUES ($1, 's', 1, 'succeeded', 1, now())", id)
            try await bench.run("INSERT INTO kiln.job_progress (job, token, updated_at) VALUES ($1, 1, now())", id)
        }
    }

    @Test func `partitions are made for the days to come, and finished jobs lie in today's`() async throws {
        let bench = try await QueueBench()
        let made: Int = try await bench.value(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'kiln'::regnamespace AND relname ~ '^job_history_.*[0-9]{8}$'"
        )
        #expect(made == 15)
        #expect(try await bench.maintain("rarely").contains(#""partitions_made": 0"#))
        try await bench.run("UPDATE kiln.setting SET value = '6' WHERE name = 'partitions_ahead'")
        #expect(try await bench.maintain("rarely").contains(#""partitions_made": 6"#))
        let worker = try await bench.worker("a")
        try await bench.enqueue(count: 3, "jsonb_build_object('kind', 'a')")
        let jobs = try await worker.claim()
        try await worker.complete([jobs[0]])
        try await worker.fail(jobs[1], permanent: true)
        try await bench.run("SELECT kiln.cancel($1)", jobs[2].id)
        try await worker.cancelled(jobs[2])
        let strays: [String] = try await bench.values(
            "SELECT DISTINCT tableoid::regclass::text FROM kiln.job_history WHERE tableoid::regclass::text LIKE '%default'"
        )
        #expect(strays == [])
    }

    @Test
    func `a partition older than the retention is dropped, with steps and progress; a parent that a child needs stays`()
        async throws
    {
        let bench = try await QueueBench()
        let (needed, other) = (UUID(), UUID())
        try await oldDay(bench, "succeeded", [needed, other])
        let child = try await bench.enqueue("z", "depends_on => ARRAY[$2::uuid], run_at => '2100-01-01'", needed)
        #expect(try await bench.maintain("rarely").contains(#""partitions_dropped": 1"#))
        #expect(try await bench.state(other) == nil)
        let steps: [UUID] = try await bench.values("SELECT job FROM kiln.step")
        #expect(steps == [needed])
        #expect(try await bench.job(needed, "result") == "7")
        #expect(try await bench.values("SELECT state FROM kiln.worker_parents($1)", child) == ["succeeded"])
        try await bench.run("SELECT kiln.cancel($1)", child)
        try await bench.maintain("rarely")
        #expect(try await bench.state(needed) == nil)
        #expect(
            try await bench.value(
                "SELECT (SELECT count(*) FROM kiln.step) + (SELECT count(*) FROM kiln.job_progress)", as: Int.self) == 0
        )
    }

    @Test func `each outcome has its own retention`() async throws {
        let bench = try await QueueBench()
        for outcome in ["succeeded", "cancelled", "dead"] { try await oldDay(bench, outcome, [UUID()]) }
        try await bench.run(
            "SELECT kiln.set_retention('dead', '100 years'), kiln.set_retention('cancelled', '50 years')")
        #expect(try await bench.maintain("rarely").contains(#""partitions_dropped": 1"#))
        #expect(try await bench.values("SELECT state::text FROM kiln.jobs ORDER BY 1") == ["cancelled", "dead"])
        try await bench.run("SELECT kiln.set_retention('cancelled', '1 hour')")
        #expect(try await bench.maintain("rarely").contains(#""partitions_dropped": 1"#))
        #expect(try await bench.values("SELECT state::text FROM kiln.jobs") == ["dead"])
    }

    @Test func `a reader of the history does not stop the housekeeping, nor is it waited for`() async throws {
        let bench = try await QueueBench()
        try await oldDay(bench, "succeeded", [UUID()])
        let reader = try await bench.another()
        try await reader.run("BEGIN")
        try await reader.run("SELECT count(*) FROM kiln.jobs")
        #expect(try await bench.maintain("rarely").contains(#""partitions_dropped": 0"#))
        try await reader.run("COMMIT")
        #expect(try await bench.maintain("rarely").contains(#""partitions_dropped": 1"#))
    }

    @Test func `counters say what counting says, after random work by several at once`() async throws {
        let bench = try await QueueBench()
        try await bench.run("SELECT kiln.set_queue('b', concurrency => 3, key_concurrency => 2)")
        try await withWorkers(4, bench, ["a", "b"]) { worker, index in
            var random = SeededGenerator(UInt64(index) + 9)
            let bench = worker.bench
            var made: [UUID] = []
            for _ in 0..<40 {
                switch random.int(0...9) {
                case 0...2:
                    let keys = random.chance(0.5) ? "'concurrency_key', i % 3," : ""
                    made += try await bench.enqueue(
                        count: random.int(1...8),
                        "jsonb_build_object(\(keys) 'kind', '\(random.chance(0.5) ? "a" : "b")', 'max_attempts', 2)")
                case 3:
                    made.append(
                        try await bench.enqueue(
                            "a", "run_at => now() + interval '1 h', unique_key => $2, on_duplicate => 'replace'",
                            "k\(random.int(0...3))"))
                case 4:
                    if let parent = made.randomElement(using: &random) {
                        made.append(try await bench.enqueue("b", "depends_on => ARRAY[$2::uuid]", parent))
                    }
                case 5:
                    if let id = made.randomElement(using: &random) { try await bench.run("SELECT kiln.cancel($1)", id) }
                case 6:
                    if let id = made.randomElement(using: &random) {
                        // A job that has succeeded or lacks its parent refuses.
                        do { try await bench.run("SELECT kiln.retry($1)", id) } catch let error as QueueError
                            where error.sqlState == "55000"
                        {}
                    }
                default:
                    let jobs = try await worker.claim(random.int(1...6))
                    let half = Array(jobs.prefix(jobs.count / 2))
                    try await worker.complete(half)
                    for job in jobs.dropFirst(half.count) {
                        switch random.int(0...3) {
                        case 0: try await worker.fail(job, delay: .seconds(random.int(0...1) * 3600))
                        case 1: try await worker.release([job])
                        case 2: _ = try await worker.snooze(job)
                        default: try await worker.fail(job, permanent: true)
                        }
                    }
                }
            }
        }
        try await bench.expectHonestCounters()
        try await bench.expectExactLimits()
        #expect(
            try await bench.value(
                "SELECT ready = (SELECT count(*) FROM kiln.job WHERE state = 'ready') FROM kiln.health"))
    }

    @Test func `health is one row, also of an empty queue`() async throws {
        let bench = try await QueueBench()
        #expect(
            try await bench.values(
                "SELECT row(ready, running, dead, oldest_ready, workers_alive)::text FROM kiln.health") == [
                    "(0,0,0,,0)"
                ])
        let worker = try await bench.worker("a")
        try await bench.enqueue("a", "run_at => now() - interval '1 hour'")
        try await bench.enqueue("a")
        try await bench.maintain()
        try await worker.expire()
        #expect(
            try await bench.values(
                "SELECT concat_ws(' ', ready, oldest_ready > interval '59 min', workers_alive, workers_expired, table_bytes > 0) FROM kiln.health"
            )
                == ["2 t 0 1 t"])
    }

    @Test func `the oldest ready job is known at once, whatever its queue, priority and key`() async throws {
        let bench = try await QueueBench()
        func hours() async throws -> Double? {
            try await bench.value("SELECT round(date_part('epoch', oldest_ready) / 3600) FROM kiln.health")
        }
        func enqueue(_ hours: Int, _ kind: String, _ more: String) async throws {
            try await bench.enqueue(kind, "run_at => clock_timestamp() - interval '\(hours) h'\(more)")
        }
        #expect(try await hours() == nil)
        try await enqueue(1, "b", ", priority => 5")
        #expect(try await hours() == 1)
        try await enqueue(2, "b", ", priority => -5")
        #expect(try await hours() == 2)
        try await enqueue(1, "b", ", priority => -6")
        try await enqueue(3, "a", "")
        #expect(try await hours() == 3)
        try await enqueue(4, "c", "")
        #expect(try await hours() == 4)
        try await enqueue(5, "c", ", concurrency_key => 'x'")
        try await enqueue(6, "c", ", concurrency_key => 'y', priority => 3")
        #expect(try await hours() == 6)
        try await enqueue(7, "c", ", concurrency_key => 'y', priority => 2")
        #expect(try await hours() == 7)
        try await enqueue(8, "b", ", concurrency_key => 'z'")
        try await enqueue(9, "d", ", concurrency_key => 'a'")
        #expect(try await hours() == 9)
        // Against counting, with many heads.
        try await bench.enqueue(
            count: 300,
            """
            jsonb_strip_nulls(jsonb_build_object('kind', 'q' || i % 4, 'priority', (i * 7) % 5, 'concurrency_key', nullif(i % 3, 0),
                'run_at', clock_timestamp() - i * (i * 17 % 31) * interval '1 hour'))
            """)
        let worker = try await bench.worker("a", "b", "c", "d", "q0", "q1", "q2", "q3")
        while true {
            #expect(
                try await bench.value(
                    "SELECT kiln.oldest_ready() IS NOT DISTINCT FROM (SELECT min(run_at) FROM kiln.job WHERE state = 'ready')"
                ))
            if try await worker.claim(23).isEmpty { break }
        }
        // What must run alone counts as well.
        try await worker.die()
        #expect(
            try await bench.value(
                "SELECT kiln.oldest_ready() = (SELECT min(run_at) FROM kiln.job WHERE state = 'ready' AND solo)"))
    }

    @Test func `wrong counts of limited queues and lanes are put right`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        try await bench.run("SELECT kiln.set_queue('a', concurrency => 2, key_concurrency => 2)")
        try await bench.enqueue(count: 4, "jsonb_build_object('kind', 'a', 'concurrency_key', 'k')")
        #expect(try await worker.claim(1).count == 1)
        try await bench.run("DELETE FROM kiln.permit")
        try await bench.run("UPDATE kiln.lane SET running = 99, open = false")
        #expect(try await worker.claim().isEmpty)
        try await bench.maintain("rarely")
        try await bench.expectExactLimits()
        let job = try await worker.claimOne()
        #expect(try await bench.value("SELECT running FROM kiln.lane") == 2)
        // Permits that nobody gave are a debt, which what finishes pays off.
        try await bench.run("INSERT INTO kiln.permit SELECT 'a', false, now(), 1 FROM generate_series(1, 2)")
        try await bench.maintain("rarely")
        try await bench.expectExactLimits()
        #expect(try await worker.claim().isEmpty)
        try await worker.complete([job])
        #expect(try await worker.claim().count == 1)
        try await bench.expectExactLimits()
    }
}
