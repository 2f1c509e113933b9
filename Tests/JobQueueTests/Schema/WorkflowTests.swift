import Foundation
import Testing

@testable import JobQueue

@Suite(.serialized) struct WorkflowTests {
    private func status(_ id: UUID, _ bench: QueueBench) async throws -> String {
        try await bench.value(
            """
            SELECT concat_ws(' ', w ->> 'status', w ->> 'total', w ->> 'succeeded', w ->> 'dead', w ->> 'cancelled',
                w ->> 'unfinished') FROM kiln.workflow($1) w
            """, id)
    }

    @Test func `children run when all parents have, and are given their results`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("k")
        let flow = try await bench.workflow(
            """
            [{"node": "join", "kind": "k", "after": ["left", "right", "left"]}, {"node": "left", "kind": "k", "after": ["top"]},
             {"node": "right", "kind": "k", "after": ["top"]}, {"node": "top", "kind": "k"}]
            """)
        #expect(try await status(flow.id, bench) == "running 4 0 0 0 4")
        for expected in [["top"], ["left", "right"], ["join"]] {
            let jobs = try await worker.claim()
            #expect(jobs.compactMap(\.node).sorted() == expected)
            if expected == ["join"] {
                let results: [String] = try await bench.values(
                    "SELECT concat_ws(' ', node, kind, state, result) FROM kiln.worker_parents($1) ORDER BY node",
                    jobs[0].id)
                #expect(results == [#"left k succeeded "of left""#, #"right k succeeded "of right""#])
            }
            for job in jobs { try await worker.complete([job], result: #""of \#(job.node ?? "")""#) }
        }
        #expect(try await status(flow.id, bench) == "succeeded 4 4 0 0 0")
        try await bench.maintain()
        #expect(try await status(flow.id, bench) == "succeeded 4 4 0 0 0")
        #expect(try await bench.value("SELECT count(*) FROM kiln.job_edge", as: Int.self) == 0)
        #expect(try await bench.value("SELECT finished_at IS NOT NULL AND name = 'test' FROM kiln.pipeline_runs"))
        try await bench.expectHonestCounters()
    }

    @Test func `a failure cancels, is passed over, or fails the workflow, as each edge says`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("k")
        let flow = try await bench.workflow(
            """
            [{"node": "bad", "kind": "k", "priority": 1}, {"node": "cancelled", "kind": "k", "after": ["bad"]},
             {"node": "below", "kind": "k", "after": ["cancelled"]},
             {"node": "anyway", "kind": "k", "after": [{"node": "bad", "on_failure": "run"}]},
             {"node": "after both", "kind": "k", "after": ["below", "anyway"], "on_parent_failure": "run"}]
            """)
        try await worker.fail(try #require(try await worker.claim(1).first), permanent: true)
        let bad = try #require(flow.jobs["bad"]).uuidString.lowercased()
        let cancelled = try #require(flow.jobs["cancelled"])
        let below = try #require(flow.jobs["below"])
        #expect(try await bench.state(cancelled) == "cancelled")
        #expect(try await bench.job(cancelled, "reason") == "its parent \(bad) did not succeed")
        #expect(
            try await bench.job(below, "reason") == "its parent \(cancelled.uuidString.lowercased()) did not succeed")
        #expect(try await worker.claim(1).map(\.node) == ["anyway"])
        #expect(try await bench.state(try #require(flow.jobs["after both"])) == "blocked")
        try await bench.expectHonestCounters()

        let doomed = try await bench.workflow(
            """
            [{"node": "bad", "kind": "k", "priority": 5}, {"node": "next", "kind": "k", "after": [{"node": "bad", "on_failure": "fail_workflow"}]},
             {"node": "elsewhere", "kind": "k", "run_at": "2100-01-01T00:00:00Z"}, {"node": "runs", "kind": "k", "priority": 4}]
            """)
        let jobs = try await worker.claim(2)
        #expect(jobs.map(\.node) == ["bad", "runs"])
        try await worker.fail(jobs[0], permanent: true)
        #expect(try await status(doomed.id, bench) == "cancelling 4 0 1 2 1")
        #expect(
            try await worker.renew() == [
                "\(jobs[1].id.uuidString.lowercased()) cancel a job that its workflow needs did not succeed"
            ])
        try await worker.cancelled(jobs[1])
        #expect(try await status(doomed.id, bench) == "failed 4 0 1 3 0")
        try await bench.expectHonestCounters()
    }

    @Test func `a job may depend on jobs of any state`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("k")
        let parents = try await bench.enqueue(count: 2, "jsonb_build_object('kind', 'k')")
        let jobs = try await worker.claim()
        try await worker.complete([jobs[0]])
        try await worker.fail(jobs[1], permanent: true)
        func child(_ parents: [UUID], _ policy: String = "cancel") async throws -> String? {
            let id = try await bench.enqueue("c", "depends_on => $2::uuid[], on_parent_failure => $3", parents, policy)
            return try await bench.state(id)
        }
        #expect(try await child([parents[0], parents[0]]) == "ready")
        #expect(try await child(parents, "run") == "ready")
        #expect(try await child(parents) == "cancelled")
        #expect(try await child(parents, "fail_workflow") == "cancelled")
        try await bench.expectHonestCounters()
        #expect(
            try await bench.value(
                "SELECT count(*) FROM kiln.job_edge e WHERE NOT EXISTS (SELECT FROM kiln.job WHERE id = child)",
                as: Int.self) == 0)
    }

    @Test func `a parent that finishes while the child's transaction is open does not wait for it`() async throws {
        for isBad in [false, true] {
            let bench = try await QueueBench()
            let worker = try await bench.worker("k")
            let parent = try await bench.enqueue("k")
            let job = try await worker.claimOne()
            let app = try await bench.another()
            try await app.run("BEGIN")
            let child = try await app.enqueue("k", "depends_on => ARRAY[$2::uuid]", parent)
            if isBad { try await worker.fail(job, permanent: true) } else { try await worker.complete([job]) }
            try await app.run("COMMIT")
            #expect(try await bench.state(child) == (isBad ? "cancelled" : "ready"))
            try await bench.expectHonestCounters()
        }
    }

    @Test func `a workflow is cancelled as a whole, and retried without what succeeded`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("k")
        let flow = try await bench.workflow(
            """
            [{"node": "a", "kind": "k"}, {"node": "b", "kind": "k", "after": ["a"]}, {"node": "c", "kind": "k", "after": ["b"]},
             {"node": "d", "kind": "k", "after": ["c"]}]
            """)
        try await worker.complete(try await worker.claim(), result: "1")
        let running = try await worker.claimOne()
        #expect(try await bench.value("SELECT kiln.cancel_workflow($1, 'enough')", flow.id) == 3)
        #expect(try await status(flow.id, bench) == "cancelling 4 1 0 2 1")
        let refused = await bench.error("SELECT kiln.enqueue('k', workflow => $1)", flow.id)
        #expect(refused?.sqlState == "KL005")
        try await worker.cancelled(running)
        #expect(try await status(flow.id, bench) == "cancelled 4 1 0 3 0")
        #expect(try await bench.job(try #require(flow.jobs["d"]), "reason") == "enough")
        try await bench.maintain()
        // A child alone cannot come back while its parent stays cancelled.
        let error = await bench.error("SELECT kiln.retry($1)", flow.jobs["d"])
        #expect(error?.sqlState == "55000")
        #expect(try await bench.value("SELECT kiln.retry_workflow($1)", flow.id) == 3)
        #expect(try await status(flow.id, bench) == "running 4 1 0 0 3")
        for node in ["b", "c", "d"] {
            let jobs = try await worker.claim()
            #expect(jobs.map(\.node) == [node])
            try await worker.complete(jobs)
        }
        #expect(try await status(flow.id, bench) == "succeeded 4 4 0 0 0")
        #expect(try await bench.job(try #require(flow.jobs["a"]), "result") == "1")
        try await bench.expectHonestCounters()
    }

    @Test func `a running job fans out into its workflow, in its creator's name, and fans in`() async throws {
        let bench = try await QueueBench()
        let app = try await bench.login("producer")
        let worker = try await bench.worker("k")
        let flow = try await app.workflow(#"[{"node": "split", "kind": "k"}]"#)
        let job = try await worker.claimOne()
        let parts = try await worker.spawn(job, #"[{"kind": "k", "node": "p1"}, {"kind": "k", "node": "p2"}]"#)
        let list = parts.map { "\"\($0)\"" }.joined(separator: ", ")
        let join = try await worker.spawn(
            job, #"[{"kind": "k", "node": "join", "depends_on": [\#(list), "\#(job.id)"]}]"#)
        #expect(try await status(flow.id, bench) == "running 4 0 0 0 4")
        let creators: [String] = try await bench.values("SELECT DISTINCT created_by::text FROM kiln.jobs")
        #expect(creators == [try await app.value("SELECT session_user::text")])
        try await worker.complete(try await worker.claim())
        #expect(try await bench.state(join[0]) == "blocked")
        try await worker.complete([job])
        #expect(try await worker.claim().map(\.node) == ["join"])
    }

    @Test func `a cycle is named by its nodes, however large the rest is`() async throws {
        let bench = try await QueueBench()
        let error = await bench.error(
            """
            SELECT kiln.enqueue_workflow(jsonb_build_object('nodes', (SELECT jsonb_agg(jsonb_build_object('node', 'n' || i, 'kind', 'k',
                'after', CASE i WHEN 1 THEN '[]' WHEN 50 THEN '["n49", "n52"]' ELSE jsonb_build_array('n' || i - 1) END))
                FROM generate_series(1, 300) i)))
            """)
        #expect(error?.sqlState == "KL003")
        #expect(error?.message.contains(#""n51""#) == true)
        #expect(error?.message.contains(#""n49""#) == false, "\(error?.message ?? "")")
    }

    @Test(.timeLimit(.minutes(6))) func `ten thousand nodes: enqueued, cancelled, retried, and failed from the top`()
        async throws
    {
        let bench = try await QueueBench()
        let worker = try await bench.worker("k")
        let nodes: String = try await bench.value(
            """
            SELECT jsonb_agg(jsonb_build_object('node', 'n' || i, 'kind', 'k', 'after',
                CASE WHEN i = 1 THEN '[]' ELSE jsonb_build_array('n' || greatest(i / 2, 1), 'n' || greatest(i - 1 - i % 40, 1)) END))::text
            FROM generate_series(1, 10000) i
            """)
        let flow = try await bench.workflow(nodes)
        #expect(flow.jobs.count == 10_000)
        #expect(try await bench.value("SELECT kiln.cancel_workflow($1)", flow.id) == 10_000)
        #expect(try await bench.value("SELECT kiln.retry_workflow($1)", flow.id) == 10_000)
        let first = try await worker.claimOne()
        #expect(first.node == "n1")
        try await worker.fail(first, permanent: true)
        #expect(try await status(flow.id, bench) == "failed 10000 0 1 9999 0")
        try await bench.expectHonestCounters()
        #expect(
            await bench.error(
                "SELECT kiln.enqueue_workflow(jsonb_build_object('nodes', $1::jsonb || '[{\"node\": \"x\", \"kind\": \"k\"}]'))",
                nodes)?.sqlState == "22023")
    }
}
