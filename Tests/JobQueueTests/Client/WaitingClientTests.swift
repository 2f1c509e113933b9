import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Suite(.timeLimit(.minutes(6))) struct WaitingClientTests {
    @Test func `the end of a job is told, not only looked for`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try database.client()
        let worker = try await SpokenWorker(database, queues: ["mail"])
        let pool = PostgresPool(try PostgresSettings(database.url), logger: quiet)
        // One that looks when it begins to wait and to listen, and then again after an hour.
        let ends = EndWatch(
            pool: pool, schema: "kiln", schedule: WaitSchedule(first: .seconds(3600), most: .seconds(3600)),
            logger: quiet)
        let id = try await queue.enqueue("mail")
        let ticket = ends.enter(id)
        let connection = try await database.connection()
        while try await !connection.value(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity w, pg_stat_activity l
                WHERE w.datname = current_database() AND l.datname = w.datname AND l.query LIKE 'LISTEN "kiln:%'
                AND w.query LIKE 'SELECT id FROM %.watch(%' AND w.state = 'idle' AND w.query_start > l.query_start)
            """, as: Bool.self)
        { try await Task.sleep(for: .milliseconds(5)) }
        let begin = ContinuousClock.now
        async let news: Void = ticket.news(within: .seconds(30))
        try await worker.complete(try await worker.claim(), result: "1")
        await news
        #expect(begin.duration(to: .now) < .seconds(25))
        ends.leave(ticket)
        await ends.close()
        await pool.close()
        await worker.connection.close()
        await connection.close()
        await queue.close()
    }

    @Test func `many wait for many at once, on one connection more`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try QueueClient(database.url, options: .init(connections: 2), logger: quiet)
        let worker = try await SpokenWorker(database, queues: ["mail"])
        let ids = try await queue.enqueueMany((0..<60).map { NewJob("mail", ["n": $0]) })
        try await withThrowingTaskGroup(of: (JobID, Int).self) { group in
            for id in ids + ids.prefix(5) {
                group.addTask { (id, try await queue.wait(for: id, as: Int.self, timeout: .seconds(60))) }
            }
            var number: [JobID: Int] = [:]
            for _ in ids {
                let claim = try await worker.claim()
                let n = try claim.payload.decode([String: Int].self)["n"] ?? -1
                number[claim.id] = n
                try await worker.complete(claim, result: "\(n)")
            }
            for try await (id, result) in group { #expect(number[id] == result) }
        }
        let sessions: Int = try await worker.connection.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kiln'")
        #expect(sessions <= 4, "two of the pool, one that listens, the worker's")
        await worker.connection.close()
        await queue.close()
    }

    @Test func `waiting for a workflow gives its end, or throws its failure`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try database.client()
        let worker = try await SpokenWorker(database, queues: ["k"])
        let good = try await queue.enqueueWorkflow(
            WorkflowRequest("good", jobs: ["a": WorkflowJob("k"), "b": WorkflowJob("k", after: ["a"])]))
        async let end = queue.wait(forWorkflow: good.id, timeout: .seconds(60))
        for _ in 0..<2 { try await worker.complete(try await worker.claim(), result: "null") }
        #expect(try await end.status == "succeeded")
        #expect(try await queue.workflowNodes(good.id).map(\.node) == ["a", "b"])

        let bad = try await queue.enqueueWorkflow(
            RawJSON(
                #"{"name": "bad", "nodes": [{"node": "b", "kind": "k", "after": ["a"]}, {"node": "a", "kind": "k"}]}"#))
        async let failure = #expect(throws: WorkflowFailure.self) {
            try await queue.wait(forWorkflow: bad.id, timeout: .seconds(60))
        }
        try await worker.fail(try await worker.claim(), error: #"{"message": "no"}"#, permanent: true)
        let thrown = await failure
        #expect(thrown?.workflow.status == "failed" && thrown?.workflow.dead == 1)
        #expect(thrown.map { "\($0)" }?.hasSuffix("is failed: 0 of 2 jobs succeeded, 1 are dead, 1 cancelled") == true)
        let nodes = try await queue.workflowNodes(bad.id)
        #expect(nodes.map(\.node) == ["a", "b"] && nodes[0].error == "no" && nodes[1].after == ["a"])
        #expect(try await queue.workflows().map(\.name) == ["bad", "good"])

        #expect(await queueError { try await queue.wait(forWorkflow: UUID()) }?.code == .notFound)
        let late = try await queue.enqueueWorkflow(WorkflowRequest("late", jobs: ["a": WorkflowJob("k")]))
        #expect(
            await queueError { try await queue.wait(forWorkflow: late.id, timeout: .milliseconds(30)) }?.code
                == .deadline)
        await worker.connection.close()
        await queue.close()
    }

    @Test func `a wait ends with its task, or with the client`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try database.client()
        let id = try await queue.enqueue("mail")
        let connection = try await database.connection()
        func noted() async throws -> Bool {
            try await connection.value("SELECT EXISTS (SELECT FROM kiln.job_waiter)")
        }
        let task = Task { try await queue.wait(for: id) }
        while try await !noted() { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        #expect(await queueError { _ = try await task.value }?.code == .cancelled)
        while try await noted() { try await Task.sleep(for: .milliseconds(5)) }
        let other = Task { try await queue.wait(for: id) }
        while try await !noted() { try await Task.sleep(for: .milliseconds(5)) }
        await queue.close()
        #expect(await queueError { _ = try await other.value }?.code == .closed)
        await connection.close()
    }

    @Test func `a job that is followed tells each change, and ends with it`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try database.client()
        let worker = try await SpokenWorker(database, queues: ["mail"])
        let id = try await queue.enqueue("mail")
        var states: [JobState] = []
        for try await job in queue.follow(id, every: .milliseconds(20)) {
            states.append(job.state)
            switch job.state {
            case .ready: _ = try await worker.claim()
            case .running:
                _ = try await worker.connection.query(
                    """
                    SELECT c.* FROM kiln.job j, kiln.worker_complete(j.worker, ARRAY[j.id], ARRAY[j.lease_token], '{7}') c
                    WHERE j.id = $1
                    """, [id])
            default: #expect(job.result?.text == "7")
            }
        }
        #expect(states == [.ready, .running, .succeeded])
        let error = await queueError { for try await _ in queue.follow(UUID()) {} }
        #expect(error?.code == .notFound)
        await worker.connection.close()
        await queue.close()
    }

    @Test func `behind a pooler in transaction mode the end is looked for`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let queue = try QueueClient(
            database.url, options: .init(isBehindTransactionPooler: true), logger: quiet)
        let worker = try await SpokenWorker(database, queues: ["mail"])
        let id = try await queue.enqueue("mail")
        async let result = queue.wait(for: id, as: Int.self, timeout: .seconds(60))
        try await worker.complete(try await worker.claim(), result: "5")
        #expect(try await result == 5)
        #expect(
            try await worker.connection.value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
                as: Int.self) == 0)
        await worker.connection.close()
        await queue.close()
    }
}
