import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

private struct Letter: Codable, Hashable {
    var to: String
    var copies: Int
}

@Test func `a job is told back as it was enqueued`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let parent = try await queue.enqueue("scan")
    let soon = Date(timeIntervalSince1970: 1_900_000_000.123456)
    let letter = Letter(to: "a@b.c", copies: 2)
    let options = EnqueueOptions(
        queue: "post", priority: 7, runAt: soon, maxAttempts: 3, timeout: .milliseconds(90_500),
        unique: Unique("letter-1"), concurrencyKey: "tenant 1", dependsOn: [parent], onParentFailure: .run,
        cores: 0.5, memory: 1 << 40, metadata: ["order_no": 12, "tags": ["x", nil, true, 1.5]])
    let one = try await queue.enqueue("mail", letter, options: options)
    var other = options
    other.unique = Unique("letter-2", scope: .period(.seconds(60)), onDuplicate: .replace)
    let many = try await queue.enqueueMany([NewJob("mail", letter, other)])
    for id in [one] + many {
        let job = try #require(try await queue.job(id))
        #expect(job.kind == "mail" && job.queue == "post" && job.state == .blocked && job.priority == 7)
        #expect(abs(job.runAt.timeIntervalSince(soon)) < 1e-6)
        #expect(job.attempt == 0 && job.maxAttempts == 3 && job.timeoutSeconds == 90.5)
        #expect(job.concurrencyKey == "tenant 1" && job.parents == [parent])
        #expect(job.cores == 0.5 && job.memory == 1 << 40)
        #expect(try job.payload?.decode(Letter.self) == letter)
        #expect(try job.metadata?.decode(JSONValue.self) == options.metadata)
        #expect(job.createdBy == "postgres" && job.errors == [] && job.result == nil)
    }
    #expect(try await queue.job(one)?.uniqueKey == "letter-1")
    #expect(try await queue.job(UUID()) == nil)
    await queue.close()
}

@Test func `two thousand five hundred jobs keep their order, and are enqueued together or not at all`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    var jobs = (0..<2500).map { NewJob("count", ["n": $0], EnqueueOptions(priority: $0 % 3)) }
    let ids = try await queue.enqueueMany(jobs)
    #expect(Set(ids).count == 2500)
    let connection = try await database.connection()
    let inOrder = try await connection.value(
        """
        SELECT count(*) FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, i) JOIN kiln.jobs USING (id)
        WHERE (payload ->> 'n')::int = i - 1 AND priority = (i - 1) % 3
        """, [ids], as: Int.self)
    #expect(inOrder == 2500)
    #expect(ids == ids.sorted { $0.uuidString < $1.uuidString })
    #expect(try await queue.enqueueMany([]).isEmpty)
    // The last batch is refused.
    jobs[2400].options.maxAttempts = 0
    let error = await queueError { try await queue.enqueueMany(jobs) }
    #expect(error?.code == .badRequest)
    #expect(error?.message.contains("max_attempts") == true)
    #expect(try await connection.value("SELECT count(*) FROM kiln.jobs", as: Int.self) == 2500)
    await connection.close()
    await queue.close()
}

@Test func `jobs are listed newest first, as a filter asks`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let a = try await queue.enqueue("a")
    let b = try await queue.enqueue("b", options: EnqueueOptions(queue: "q"))
    let c = try await queue.enqueue("b", options: EnqueueOptions(runAt: Date(timeIntervalSinceNow: 3600)))
    try await queue.cancel(a, reason: "not needed")
    #expect(try await queue.jobs().map(\.id) == [c, b, a])
    #expect(try await queue.jobs(JobFilter(limit: 1)).map(\.id) == [c])
    #expect(try await queue.jobs(JobFilter(states: [.ready])).map(\.id) == [b])
    #expect(try await queue.jobs(JobFilter(states: [.cancelled, .scheduled])).map(\.id) == [c, a])
    #expect(try await queue.jobs(JobFilter(kind: "b", queue: "q")).map(\.id) == [b])
    let cancelled = try #require(try await queue.jobs(JobFilter(kind: "a")).first)
    #expect(cancelled.state == .cancelled && cancelled.reason == "not needed" && cancelled.finishedAt != nil)
    await queue.close()
}

@Test func `waiting gives the result, or throws the failure`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let worker = try await SpokenWorker(database, queues: ["mail"])
    let sent = try await queue.enqueue("mail", Letter(to: "x", copies: 1))
    async let answer = queue.wait(for: sent, as: Letter.self, timeout: .seconds(60))
    try await worker.complete(try await worker.claim(), result: #"{"to": "y", "copies": 3}"#)
    #expect(try await answer == Letter(to: "y", copies: 3))
    let mismatch = await queueError { _ = try await queue.wait(for: sent, as: [Int].self, timeout: .seconds(60)) }
    #expect(mismatch?.code == .badRow)

    let nothing = try await queue.enqueue("mail")
    try await worker.complete(try await worker.claim(), result: "null")
    #expect(try await queue.wait(for: nothing).result?.text == "null")
    #expect(try await queue.wait(for: nothing, as: Int?.self) == nil)

    let doomed = try await queue.enqueue("mail")
    try await worker.fail(
        try await worker.claim(), error: #"{"code": "no_such_box", "message": "the box is gone"}"#, permanent: true)
    let failure = await #expect(throws: JobFailure.self) { try await queue.wait(for: doomed) }
    #expect(failure?.job.state == .dead)
    #expect(failure?.lastAttempt?.code == "no_such_box")
    #expect(failure?.lastAttempt?.worker == "spoken")
    #expect(failure?.lastAttempt?.log == ["a line"])
    #expect(failure.map { "\($0)" }?.hasSuffix("is dead: the box is gone") == true)

    let dropped = try await queue.enqueue("mail")
    #expect(try await queue.cancel(dropped, reason: "changed my mind") == .cancelled)
    let cancelled = await #expect(throws: JobFailure.self) { try await queue.wait(for: dropped) }
    #expect(cancelled?.message == "changed my mind")

    let late = try await queue.enqueue("mail", options: EnqueueOptions(runAt: Date(timeIntervalSinceNow: 3600)))
    #expect(await queueError { try await queue.wait(for: late, timeout: .milliseconds(30)) }?.code == .deadline)
    #expect(await queueError { try await queue.wait(for: UUID()) }?.code == .notFound)
    await worker.connection.close()
    await queue.close()
}

@Test func `dead letters are listed, retried and purged`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let worker = try await SpokenWorker(database, queues: ["mail", "scan"])
    var dead: [JobID] = []
    for kind in ["mail", "scan", "scan"] {
        dead.append(try await queue.enqueue(kind, ["k": kind]))
        try await worker.fail(try await worker.claim(), error: #"{"message": "no"}"#, permanent: true)
    }
    #expect(try await queue.deadJobs().map(\.id) == dead.reversed())
    let letters = try await queue.deadJobs(kind: "mail")
    #expect(letters.map(\.id) == [dead[0]])
    #expect(letters.first?.payload?.text == #"{"k": "mail"}"#)
    #expect(try await queue.retry(dead[0]) == .ready)
    #expect(try await queue.retryDead(kind: "scan", limit: 1) == 1)
    #expect(try await queue.job(dead[1])?.state == .ready)
    #expect(try await queue.purgeDead(before: Date(timeIntervalSinceNow: -3600)) == 0)
    #expect(try await queue.purgeDead() == 1)
    #expect(try await queue.job(dead[2]) == nil)
    #expect(await queueError { try await queue.retry(dead[2]) }?.code == .notFound)
    #expect(await queueError { try await queue.cancel(dead[2]) }?.code == .notFound)
    await worker.connection.close()
    await queue.close()
}

@Test func `queues are limited, paused and counted`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let limits = QueueLimits(
        concurrency: 4, workerConcurrency: 2, keyConcurrency: 1, rate: .init(100, per: .seconds(90)))
    try await queue.setQueue("mail", limits)
    try await queue.pause("mail")
    try await queue.enqueue("mail")
    var info = try #require(try await queue.queues().first)
    #expect(info.queue == "mail" && info.paused && info.ready == 1 && info.concurrency == 4)
    #expect(info.workerConcurrency == 2 && info.keyConcurrency == 1)
    #expect(info.rateLimit == 100 && info.rateIntervalSeconds == 90)
    try await queue.resume("mail")
    try await queue.setQueue("mail", QueueLimits(concurrency: 2))
    info = try #require(try await queue.queues().first)
    #expect(!info.paused && info.concurrency == 2 && info.rateLimit == nil)
    let error = await queueError { try await queue.setQueue("mail", QueueLimits(concurrency: 0)) }
    #expect(error?.code == .badRequest)
    #expect(error?.hint?.contains("pause") == true)

    let worker = try await SpokenWorker(database, queues: ["mail"])
    _ = try await worker.claim()
    let workers = try await queue.workers()
    #expect(workers.map(\.name) == ["spoken"])
    #expect(workers.first?.state == "alive" && workers.first?.running == 1 && workers.first?.queues == ["mail"])
    let health = try await queue.health()
    #expect(health.ready == 0 && health.running == 1 && health.workersAlive == 1)
    await worker.connection.close()
    await queue.close()
}

@Test func `schedules are made, changed and removed`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    try await queue.schedule(
        "nightly", cron: "30 2 * * *", timezone: "Europe/Berlin", kind: "sweep", payload: ["deep": true],
        options: EnqueueOptions(priority: 3, timeout: .seconds(60)), missed: .all)
    let nightly = try #require(try await queue.schedules().first)
    #expect(nightly.name == "nightly" && nightly.cron == "30 2 * * *" && nightly.missed == .all)
    #expect(nightly.payload == ["deep": true] && nightly.options["priority"] == 3)
    #expect((nightly.nextTick ?? .distantPast) > .now)
    try await queue.schedule("nightly", cron: "@hourly", kind: "sweep", paused: true)
    let changed = try #require(try await queue.schedules().first)
    #expect(changed.paused && changed.nextTick == nil && changed.timezone == "UTC")
    for (cron, zone) in [("61 * * * *", "UTC"), ("* * *", "UTC"), ("@daily", "Mars/Olympus")] {
        let error = await queueError { try await queue.schedule("x", cron: cron, timezone: zone, kind: "sweep") }
        #expect(error?.code == .badRequest)
    }
    let options = EnqueueOptions(runAt: .now)
    let error = await queueError { try await queue.schedule("x", cron: "@daily", kind: "sweep", options: options) }
    #expect(error?.message.contains("run_at") == true)
    #expect(try await queue.unschedule("nightly"))
    #expect(try await queue.unschedule("nightly") == false)
    await queue.close()
}

@Test func `a workflow is enqueued, cancelled and retried as one`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let flow = try await queue.enqueueWorkflow(
        WorkflowRequest(
            "publish",
            jobs: [
                "a": WorkflowJob("step", ["n": 1]),
                "b \"quoted\" 猫": WorkflowJob("step", after: ["a"]),
                "c": WorkflowJob("step", after: ["a", WorkflowParent("b \"quoted\" 猫", onFailure: .run)]),
            ], metadata: ["by": "me"]))
    #expect(flow.jobs.count == 3)
    var info = try #require(try await queue.workflow(flow.id))
    #expect(info.id == flow.id && info.name == "publish" && info.status == "running")
    #expect(info.total == 3 && info.unfinished == 3 && info.metadata == ["by": "me"])
    let jobs = try await queue.jobs(JobFilter(workflow: flow.id))
    #expect(Set(jobs.compactMap(\.node)) == Set(flow.jobs.keys))
    #expect(jobs.first { $0.node == "a" }?.state == .ready)
    #expect(jobs.filter { $0.state == .blocked }.count == 2)
    #expect(try await queue.cancelWorkflow(flow.id, reason: "wrong file") == 3)
    info = try #require(try await queue.workflow(flow.id))
    #expect(info.status == "cancelled" && info.finishedAt != nil)
    #expect(try await queue.retryWorkflow(flow.id) == 3)
    #expect(try await queue.workflow(flow.id)?.status == "running")
    #expect(try await queue.workflow(UUID()) == nil)

    let cycle = await queueError {
        try await queue.enqueueWorkflow(
            WorkflowRequest("x", jobs: ["a": WorkflowJob("s", after: ["b"]), "b": WorkflowJob("s", after: ["a"])]))
    }
    #expect(cycle?.code == .badRequest)
    #expect(cycle?.message.contains(#""a" -> "b""#) == true || cycle?.message.contains(#""b" -> "a""#) == true)
    let unknown = await queueError {
        try await queue.enqueueWorkflow(WorkflowRequest("x", jobs: ["a": WorkflowJob("s", after: ["bee"])]))
    }
    #expect(unknown?.code == .notFound)
    #expect(unknown?.message.contains("bee") == true)
    await queue.close()
}
