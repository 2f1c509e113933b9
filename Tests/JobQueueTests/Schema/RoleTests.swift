import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct RoleTests {
    private func expectRefusal(_ session: QueueBench, _ sql: String, _ parameters: UUID?...) async {
        let error: QueueError? =
            if let first = parameters.first { await session.error(sql, first) } else { await session.error(sql) }
        #expect(error?.sqlState == "42501", "\(sql): \(error?.description ?? "")")
    }

    @Test func `a producer has what it made, and nothing of another's`() async throws {
        let bench = try await QueueBench()
        let mine = try await bench.login("producer")
        let other = try await bench.login("producer")
        let id = try await mine.enqueue("a", "payload => '{\"secret\": 1}'")
        let flow = try await mine.workflow(#"[{"node": "x", "kind": "a"}]"#)
        try await mine.run("SELECT kiln.schedule('mine', '@daily', 'UTC', 'a')")
        #expect(try await mine.job(id, "payload,secret") == "1")
        for sql in [
            "SELECT kiln.job($1)", "SELECT kiln.cancel($1)", "SELECT kiln.retry($1)",
            "SELECT kiln.enqueue('a', depends_on => ARRAY[$1::uuid])",
        ] { await expectRefusal(other, sql, id) }
        for sql in [
            "SELECT kiln.workflow($1)", "SELECT kiln.cancel_workflow($1)", "SELECT kiln.retry_workflow($1)",
            "SELECT kiln.enqueue('a', workflow => $1)",
        ] { await expectRefusal(other, sql, flow.id) }
        await expectRefusal(other, "SELECT kiln.unschedule('mine')")
        await expectRefusal(other, "SELECT kiln.schedule('mine', '@hourly', 'UTC', 'a')")
        #expect(try await mine.value("SELECT kiln.cancel_workflow($1)", flow.id) == 1)
        #expect(try await mine.value("SELECT kiln.unschedule('mine')"))
        // Dead letters: each its own.
        let worker = try await bench.worker("a")
        try await worker.fail(try await worker.claimOne(), permanent: true)
        #expect(try await other.value("SELECT (SELECT count(*) FROM kiln.dead()) + kiln.retry_dead() + kiln.purge_dead()", as: Int.self) == 0)
        #expect(try await mine.value("SELECT count(*) FROM kiln.dead()", as: Int.self) == 1)
        #expect(try await mine.value("SELECT kiln.retry_dead()") == 1)
        // Finished ones are guarded as well.
        #expect(try await mine.value("SELECT kiln.cancel($1)", id) == "cancelled")
        for sql in ["SELECT kiln.job($1)", "SELECT kiln.cancel($1)", "SELECT kiln.retry($1)"] { await expectRefusal(other, sql, id) }
    }

    @Test func `a key that another's job has is not a way to change that job`() async throws {
        let bench = try await QueueBench()
        let mine = try await bench.login("producer")
        let other = try await bench.login("producer")
        let id = try await mine.enqueue("a", "payload => '1', unique_key => 'k'")
        await expectRefusal(other, "SELECT kiln.enqueue('a', payload => '2', unique_key => 'k', on_duplicate => 'replace')")
        #expect(try await mine.job(id, "payload") == "1")
    }

    @Test func `each role may do its part, and none may touch a table or an inner function`() async throws {
        let bench = try await QueueBench()
        let producer = try await bench.login("producer")
        let worker = try await bench.login("worker")
        let reader = try await bench.login("reader")
        let nobody = try await bench.login()
        let id = try await producer.enqueue("a")
        let inner = [
            "SELECT * FROM kiln.job", "DELETE FROM kiln.job", "UPDATE kiln.job_history SET result = '1'", "SELECT * FROM kiln.unique_claim",
            "INSERT INTO kiln.counter_delta (queue) VALUES ('x')", "SELECT * FROM kiln.step", "TRUNCATE kiln.job", "SELECT * FROM kiln.setting",
            "SELECT kiln.settle('{}', true, 'x')", "SELECT kiln.bury('{}', 'dead', '{}', 'x')", "SELECT nextval('kiln.lease_token_seq')",
            "SELECT kiln.insert_jobs('{}', NULL, NULL, NULL, NULL, 'postgres', 'x')", "SELECT kiln.revive('{}', 'x', 'y')",
            "SELECT kiln.finish('{}', 'dead', 'x', 'y')", "SELECT kiln.set_retention('dead', '1 day')", "CREATE TABLE kiln.mine (n int)",
            "SELECT kiln.enqueue_as('[]', 'postgres', NULL, 'x')", "SELECT kiln.set_paused('x', 'a', true)", "SELECT kiln.vacate(NULL, NULL)",
        ]
        for session in [producer, worker, reader, nobody] { for sql in inner { await expectRefusal(session, sql) } }
        for sql in [
            "SELECT * FROM kiln.jobs", "SELECT * FROM kiln.health", "SELECT kiln.worker_leave(gen_random_uuid())", "SELECT kiln.maintain()",
            "SELECT kiln.pause('a')", "SELECT kiln.set_queue('a', 1)", "SELECT kiln.set_kind('a')", "SELECT kiln.worker_signals(gen_random_uuid())",
        ] {
            await expectRefusal(producer, sql)
            await expectRefusal(nobody, sql)
        }
        for sql in ["SELECT kiln.enqueue('x')", "SELECT kiln.cancel(gen_random_uuid())", "SELECT kiln.pause('a')", "SELECT kiln.retry_dead()"] {
            await expectRefusal(reader, sql)
        }
        await expectRefusal(nobody, "SELECT kiln.enqueue('x')")
        for view in ["jobs", "dead_jobs", "queues", "workers", "pipeline_runs", "pipeline_steps", "health"] {
            try await reader.run("SELECT * FROM kiln.\(view)")
            try await worker.run("SELECT * FROM kiln.\(view)")
        }
        #expect(try await reader.job(id, "kind") == "a")
        let own = try await worker.worker("a")
        let job = try await own.claimOne()
        #expect(job.id == id)
        try await own.complete([job])
        try await worker.maintain(nil)
        try await worker.run("SELECT kiln.pause('a'), kiln.resume('a'), kiln.set_queue('a', 5)")
        let another = try await producer.enqueue("a")
        #expect(try await worker.value("SELECT kiln.cancel($1)", another) == "cancelled")
        // The owner's rights come from the schema, not from a role.
        let name: String = try await producer.value("SELECT session_user::text")
        #expect(try await bench.job(another, "created_by") == name)
    }

    @Test func `SET ROLE does not make one somebody else`() async throws {
        let bench = try await QueueBench()
        let mine = try await bench.login("producer")
        let id = try await mine.enqueue("a")
        let sneaky = try await bench.login("producer")
        try await sneaky.run("SET ROLE kiln_producer")
        await expectRefusal(sneaky, "SELECT kiln.job($1)", id)
        let other = try await sneaky.enqueue("a")
        let name: String = try await sneaky.value("SELECT session_user::text")
        #expect(try await bench.job(other, "created_by") == name)
    }

    @Test func `objects of the caller's own do not get into the functions`() async throws {
        let bench = try await QueueBench()
        let app = try await bench.login("producer")
        let name: String = try await app.value("SELECT session_user::text")
        try await bench.run("CREATE SCHEMA trap AUTHORIZATION \(name)")
        try await app.connection.script(
            """
            CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
            CREATE FUNCTION trap.privileged(text[]) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
            CREATE FUNCTION trap.may_read(name) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
            CREATE FUNCTION trap.may_change(name) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
            CREATE TABLE trap.job (id uuid); CREATE TEMP TABLE job (id uuid, created_by name); CREATE TEMP TABLE kind (name text);
            CREATE FUNCTION trap.always(name, name) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
            CREATE OPERATOR trap.= (FUNCTION = trap.always, LEFTARG = name, RIGHTARG = name);
            SET search_path = trap, pg_temp, pg_catalog;
            """)
        let id = try await app.enqueue("a", "depends_on => NULL, unique_key => 'k', concurrency_key => 'c'")
        #expect(try await app.job(id, "state") == "ready")
        let strange = try await bench.enqueue("a")
        await expectRefusal(app, "SELECT kiln.job($1)", strange)
        await expectRefusal(app, "SELECT kiln.cancel($1)", strange)
        #expect(try await app.value("SELECT kiln.cancel($1)", id) == "cancelled")
        // Every function that runs with the owner's rights has its search_path fixed.
        let loose: [String] = try await bench.values(
            """
            SELECT proname::text FROM pg_proc WHERE pronamespace = 'kiln'::regnamespace AND prosecdef
            AND NOT coalesce(array_to_string(proconfig, ';') LIKE '%search_path=pg_catalog, kiln, pg_temp%', false)
            """)
        #expect(loose == [])
    }
}
