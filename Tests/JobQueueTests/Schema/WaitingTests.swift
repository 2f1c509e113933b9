import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Suite(.serialized, .timeLimit(.minutes(4))) struct WaitingTests {
    /// Asks for a notification; returns `id state` of what is over or not there.
    private func watch(_ ids: [UUID], _ waiter: UUID, _ bench: QueueBench) async throws -> [String] {
        try await bench.values(
            "SELECT concat_ws(' ', id, state) FROM kiln.watch($1, $2) ORDER BY 1", ids, waiter)
    }

    private func text(_ id: UUID) -> String { id.uuidString.lowercased() }

    @Test func `whoever waits for a job is told of its end, however it comes, and nobody when nobody waits`()
        async throws
    {
        let bench = try await QueueBench()
        let waiter = UUID()
        let inbox = try await NotificationInbox(bench, also: "kiln:\(text(waiter))")
        let worker = try await bench.worker("a")
        func expectNews(
            _ what: String, _ make: () async throws -> UUID, _ end: ([ClaimedJob], UUID) async throws -> Void
        ) async throws {
            let alone = try await make()
            try await end(try await worker.claim(), alone)
            #expect(try await inbox.news() == [], "\(what): nobody waits")
            let id = try await make()
            #expect(try await watch([id, id], waiter, bench) == [])
            let jobs = try await worker.claim()
            #expect(try await inbox.news() == [], "\(what): it has not ended")
            try await end(jobs, id)
            #expect(try await inbox.news() == [text(id)], "\(what)")
        }
        try await expectNews("completed", { try await bench.enqueue("a") }) { jobs, _ in
            try await worker.complete(jobs)
        }
        try await expectNews("dead", { try await bench.enqueue("a", "max_attempts => 1") }) { jobs, _ in
            for job in jobs { try await worker.fail(job) }
        }
        try await expectNews("cancelled by its handler", { try await bench.enqueue("a") }) { jobs, _ in
            for job in jobs { try await worker.cancelled(job) }
        }
        try await expectNews(
            "cancelled while it waits", { try await bench.enqueue("a", "run_at => now() + interval '1 hour'") }
        ) { _, id in try await bench.run("SELECT kiln.cancel($1)", id) }
        try await expectNews(
            "cancelled with its parent",
            {
                let parent = try await bench.enqueue("a")
                return try await bench.enqueue("a", "depends_on => ARRAY[$2::uuid]", parent)
            }
        ) { jobs, _ in for job in jobs { try await worker.fail(job, permanent: true) } }
        // An attempt that failed is not the end.
        let id = try await bench.enqueue("a")
        _ = try await watch([id], waiter, bench)
        try await worker.fail(try await worker.claimOne(), delay: .seconds(60))
        #expect(try await inbox.news() == [])
    }

    @Test func `what is over, and what is not there, is said at once`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let waiter = UUID()
        let done = try await bench.enqueue("a")
        try await worker.complete(try await worker.claim())
        let waits = try await bench.enqueue("a")
        let nobody = UUID()
        let answers = try await watch([done, nobody, waits], waiter, bench)
        #expect(Set(answers) == ["\(text(done)) succeeded", text(nobody)])
        let noted: [UUID] = try await bench.values("SELECT subject FROM kiln.job_waiter")
        #expect(noted == [waits])
        try await bench.run("SELECT kiln.unwatch($1, $2)", [waits], UUID())
        #expect(try await bench.value("SELECT count(*) FROM kiln.job_waiter", as: Int.self) == 1)
        try await bench.run("SELECT kiln.unwatch($1, $2)", [waits], waiter)
        #expect(try await bench.value("SELECT count(*) FROM kiln.job_waiter", as: Int.self) == 0)
    }

    @Test func `asking again keeps the row, and what nobody asks for any more expires`() async throws {
        let bench = try await QueueBench()
        let id = try await bench.enqueue("a")
        let (faithful, gone) = (UUID(), UUID())
        _ = try await watch([id], faithful, bench)
        _ = try await watch([id], gone, bench)
        try await bench.run("UPDATE kiln.job_waiter SET expires_at = clock_timestamp() - interval '1 s'")
        _ = try await watch([id], faithful, bench)
        try await bench.maintain("rarely")
        let left: [UUID] = try await bench.values("SELECT waiter FROM kiln.job_waiter")
        #expect(left == [faithful])
        for (sql, word) in [
            ("SELECT kiln.watch('{}', NULL)", "waiter"),
            ("SELECT kiln.watch('{}', gen_random_uuid(), '0')", "keep"),
            ("SELECT kiln.watch('{}', gen_random_uuid(), '1 day')", "keep"),
        ] {
            let error = await bench.error(sql)
            #expect(error?.sqlState == "22023" && error?.message.contains(word) == true, "\(sql)")
        }
    }

    @Test func `a job of another role can be waited for by those who may read it only`() async throws {
        let bench = try await QueueBench()
        let mine = try await bench.login("producer")
        let stranger = try await bench.login("producer")
        let id = try await mine.enqueue("a")
        let (own, other) = (UUID(), UUID())
        #expect(try await watch([id], own, mine) == [])
        #expect(try await watch([id], other, stranger) == [text(id)])
        #expect(try await watch([id], UUID(), try await bench.login("reader")) == [])
        // Nobody takes back or prolongs what another has asked for.
        try await stranger.run("SELECT kiln.unwatch($1, $2)", [id], own)
        let waiters: [UUID] = try await bench.values("SELECT waiter FROM kiln.job_waiter")
        #expect(waiters.contains(own) && !waiters.contains(other) && waiters.count == 2)
        let nobody = try await bench.login()
        #expect(await nobody.error("SELECT kiln.watch('{}', gen_random_uuid())")?.sqlState == "42501")
    }

    @Test func `whoever waits for a workflow is told of its end, and not of each of many jobs before`() async throws {
        let bench = try await QueueBench()
        let waiter = UUID()
        let inbox = try await NotificationInbox(bench, also: "kiln:\(text(waiter))")
        let worker = try await bench.worker("k")
        let nodes = (0..<40).map { #"{"node": "\#($0)", "kind": "k"}"# }
        let flow = try await bench.workflow("[\(nodes.joined(separator: ","))]")
        let another = try await bench.workflow(#"[{"node": "a", "kind": "k", "priority": -1}]"#)
        #expect(try await watch([flow.id], waiter, bench) == [])
        for _ in 0..<4 { try await worker.complete(try await worker.claim(5)) }
        #expect(try await inbox.news() == [])
        // So many may be under way elsewhere: near the end there may be word too early.
        try await worker.complete(try await worker.claim(19))
        _ = try await inbox.news()
        #expect(try await watch([flow.id], waiter, bench) == [])
        try await worker.complete(try await worker.claim(1))
        #expect(try await inbox.news() == [text(flow.id)])
        #expect(try await watch([flow.id, another.id], waiter, bench) == ["\(text(flow.id)) succeeded"])
        #expect(try await bench.value("SELECT kiln.cancel_workflow($1)", another.id) == 1)
        #expect(try await inbox.news() == [text(another.id)])
        #expect(try await watch([another.id], waiter, bench) == ["\(text(another.id)) cancelled"])
    }

    @Test func `the jobs of a workflow are told with their states, parents first`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("k")
        let outside = try await bench.enqueue("z")
        let flow = try await bench.workflow(
            """
            [{"node": "join", "kind": "k", "after": ["left", "right"]}, {"node": "left", "kind": "k", "after": ["top"]},
             {"node": "right", "kind": "k", "after": ["top"], "depends_on": ["\(text(outside))"]}, {"node": "top", "kind": "k"}]
            """)
        func nodes(_ session: QueueBench) async throws -> [String] {
            try await session.values(
                "SELECT concat_ws(' ', node, state, nullif(array_to_string(after, '+'), '')) FROM kiln.workflow_nodes($1)",
                flow.id)
        }
        try await worker.complete(try await worker.claim())
        let left = try #require(try await worker.claim(1).first)
        #expect(left.node == "left")
        try await worker.fail(left, permanent: true)
        let found = try await nodes(bench)
        #expect(found.first == "top succeeded" && found.last == "join cancelled left+right")
        #expect(found.contains("left dead top"))
        #expect(found.contains { $0.hasPrefix("right blocked ") && $0.contains("top") && $0.contains(text(outside)) })
        #expect(
            try await bench.values("SELECT error FROM kiln.workflow_nodes($1) WHERE state = 'dead'", flow.id)
                == ["boom"])
        let stranger = try await bench.login("producer")
        #expect(await stranger.error("SELECT * FROM kiln.workflow_nodes($1)", flow.id)?.sqlState == "42501")
        #expect(try await nodes(try await bench.login("reader")) == found)
        #expect(await bench.error("SELECT * FROM kiln.workflow_nodes(gen_random_uuid())")?.sqlState == "KL002")
    }
}
