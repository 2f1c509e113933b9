import Foundation
import Logging
import PostgresTestSupport
import Testing

@testable import JobQueue

/// Faults of the database, of neighbours and of handlers that must cost a job neither its end nor its place.
@Suite(.timeLimit(.minutes(6)))
struct WorkerFaultTests {
    @Test func `a handler left to itself that ends late does not disturb the job's next attempt`() async throws {
        try await WorkerBench.with { bench in
            let (stubborn, late, second) = (Gate(), Gate(), Gate())
            let begun = Gate()
            // Only the first attempt has a time limit.
            try await bench.connection.script(
                """
                CREATE FUNCTION forget_timeout() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN NEW.timeout := NULL; RETURN NEW; END';
                CREATE TRIGGER forget_timeout BEFORE UPDATE ON kiln.job FOR EACH ROW
                    WHEN (NEW.state = 'failed') EXECUTE FUNCTION forget_timeout();
                """)
            let kind = KindOptions(retry: RetryPolicy(base: .milliseconds(1)))
            try await bench.serve("test", kind, { $0.cancellationGrace = .milliseconds(50) }) {
                (job: Job<Nothing>) -> String in
                if job.attempt == 1 {
                    await stubborn.passStubbornly()
                    late.open()
                    return "late"
                }
                begun.open()
                await second.passStubbornly()
                return "right"
            }
            let id = try await bench.enqueue("test", "{}", "timeout => '100 ms'")
            await begun.pass()
            stubborn.open()
            await late.pass()
            second.open()
            try await bench.wait(id, "succeeded")
            #expect(
                try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == #""right""#)
        }
    }

    @Test func `a job whose start cannot be written is handed back, not forgotten`() async throws {
        try await WorkerBench.with { bench in
            // The first two starts fail as a full disk makes them.
            try await bench.failing("UPDATE OF started_at ON kiln.job", when: "NEW.started_at IS NOT NULL", "53100", 2)
            let (begun, goOn) = (Gate(), Gate())
            let worker = try bench.worker {
                // Queues take turns by chance: one for the large job whoever comes first.
                $0.slots = 3
                $0.cores = 2
            }
            worker.register("small") { (_: Job<Nothing>) in
                begun.open()
                await goOn.pass()
            }
            worker.register("large", KindOptions(cores: 2)) { (_: Job<Nothing>) in }
            try await bench.start(worker)
            let small = try await bench.enqueue("small")
            await begun.pass()
            // It has waited for so long that it is claimed before there is room.
            let id = try await bench.enqueue("large", "{}", "run_at => now() + interval '1 hour'")
            try await bench.run(
                "UPDATE kiln.job SET run_at = now(), changed_at = now() - interval '1 hour', state = 'ready' WHERE id = $1",
                [id])
            try await bench.enqueue("small")
            try await bench.wait(sql: "SELECT held FROM kiln.job WHERE id = $1", [id])
            goOn.open()
            try await bench.wait(small, "succeeded")
            try await bench.wait(id, "succeeded")
        }
    }

    @Test func `an outcome waits until the server can store it again`() async throws {
        try await WorkerBench.with { bench in
            try await bench.failing("DELETE ON kiln.job", when: nil, "53100", 4)
            try await bench.serve { (job: Job<Int>) in job.payload }
            let ids = [try await bench.enqueue("test", "1"), try await bench.enqueue("test", "2")]
            for id in ids { try await bench.wait(id, "succeeded") }
            #expect(try await bench.connection.value("SELECT bool_and(attempt = 1) FROM kiln.job_history"))
        }
    }

    @Test func `a worker that registers while the server stops tries again`() async throws {
        try await WorkerBench.with { bench in
            try await bench.failing("INSERT ON kiln.worker", when: nil, "57P01", 2)
            try await bench.serve { (_: Job<Nothing>) in Nothing() }
            try await bench.wait(bench.enqueue(), "succeeded")
        }
    }

    @Test func `an app that keeps a cancel uncommitted costs neither the lease nor the neighbours`() async throws {
        try await WorkerBench.with { bench in
            let (begun, goOn) = (Gate(), Gate())
            let worker = try bench.worker {
                $0.lease = .seconds(2)
                $0.slots = 2
            }
            worker.register("long") { (job: Job<Nothing>) in
                begun.open()
                var rounds = 0.0
                while !goOn.isOpen {
                    rounds += 1
                    job.progress(1 - 1 / rounds)
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
            worker.register("quick") { (_: Job<Nothing>) in }
            try await bench.start(worker)
            let id = try await bench.enqueue("long")
            await begun.pass()
            let app = try await PostgresConnection.connect(PostgresSettings(bench.database.url), logger: quiet)
            try await app.withTransaction { app in
                _ = try await app.query("SELECT kiln.cancel($1)", [id])
                let since = try await bench.connection.value("SELECT clock_timestamp()", as: Date.self)
                try await bench.wait(
                    sql: "SELECT bool_or(renewed_at > $1::timestamptz + interval '4 seconds') FROM kiln.worker", [since]
                )
                // Its handler ends, and what became of it cannot be written yet.
                goOn.open()
                try await bench.wait(bench.enqueue("quick"), "succeeded")
                try await bench.wait(bench.enqueue("quick"), "succeeded")
            }
            await app.close()
            try await bench.wait(
                sql: "SELECT EXISTS (SELECT FROM kiln.job_history WHERE id = $1 AND outcome <> 'dead')", [id])
            #expect(try await bench.connection.value("SELECT count(*) FROM kiln.worker", as: Int.self) == 1)
        }
    }

    @Test func `a job that the database takes for the worker's, and the worker does not know, is handed back`()
        async throws
    {
        try await WorkerBench.with { bench in
            try await bench.serve("test", KindOptions(), { $0.lease = .seconds(2) }) { (_: Job<Nothing>) in Nothing() }
            try await bench.wait(sql: "SELECT bool_or(asleep) FROM kiln.worker")
            let worker: UUID = try await bench.connection.value("SELECT id FROM kiln.worker")
            // As a claim whose answer was lost leaves it.
            let lost = WorkerStatements(worker: worker, schema: "kiln")
            let room = JobWeight(cores: 4, memory: 0)
            let id = try await bench.connection.withTransaction { connection in
                let id: UUID = try await connection.value("SELECT kiln.enqueue('test')")
                let rows = try await connection.query(
                    lost.claim(queues: ["test"], allowance: [1], most: 1, free: room, total: room, isIdle: true))
                #expect(rows.count == 1)
                return id
            }
            try await bench.wait(id, "succeeded")
        }
    }

    @Test func `a schedule whose job is refused does not keep the others from firing`() async throws {
        try await WorkerBench.with { bench in
            try await bench.serve { (_: Job<Nothing>) in Nothing() }
            try await bench.connection.script(
                """
                SELECT kiln.schedule('a broken one', '* * * * * *', 'UTC', 'test');
                UPDATE kiln.schedule SET options = '{"max_attempts": -1}';
                SELECT kiln.schedule('b sound one', '* * * * * *', 'UTC', 'test');
                """)
            try await bench.wait(
                sql: "SELECT EXISTS (SELECT FROM kiln.job_history WHERE metadata->>'schedule' = 'b sound one')")
        }
    }

    @Test func `asking for more memory keeps the cores that were asked for before`() async throws {
        try await WorkerBench.with { bench in
            let (asked, goOn) = (Gate(), Gate())
            try await bench.serve(
                "test", KindOptions(),
                {
                    $0.cores = 4
                    $0.memory = 1000
                }
            ) { (job: Job<Nothing>) in
                try await job.raise(cores: 3)
                try await job.raise(memory: 500)
                asked.open()
                await goOn.pass()
                return Nothing()
            }
            let id = try await bench.enqueue()
            await asked.pass()
            #expect(
                try await bench.connection.value("SELECT cores = 3 AND memory = 500 FROM kiln.job WHERE id = $1", [id]))
            goOn.open()
            try await bench.wait(id, "succeeded")
        }
    }

    @Test func `the events end when the worker does`() async throws {
        try await WorkerBench.with { bench in
            let worker = try bench.worker()
            worker.register("test") { (_: Job<Nothing>) in }
            let events = worker.events
            let task = try await bench.start(worker)
            worker.shutDown()
            try await task.value
            var seen = 0
            for await _ in events { seen += 1 }
            #expect(seen > 0)
        }
    }
}

extension WorkerBench {
    /// Makes the database fail the first `times` times that something happens to a table.
    fileprivate func failing(_ what: String, when condition: String?, _ state: String, _ times: Int) async throws {
        let name = "fault_\(UInt32.random(in: 0 ... .max))"
        // A sequence counts on when the transaction is rolled back.
        try await connection.script(
            """
            CREATE SEQUENCE \(name);
            GRANT USAGE ON SEQUENCE \(name) TO PUBLIC;
            CREATE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                IF nextval('public.\(name)') <= \(times) THEN
                    RAISE EXCEPTION 'a fault that a test makes' USING ERRCODE = '\(state)';
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER \(name) AFTER \(what) FOR EACH ROW \(condition.map { "WHEN (\($0))" } ?? "")
                EXECUTE FUNCTION \(name)();
            """)
    }
}
