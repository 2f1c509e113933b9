import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Test func `what is refused says what it was and what to do`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let cases: [(String, EnqueueOptions, String)] = [
        ("", EnqueueOptions(), "kind"),
        ("k", EnqueueOptions(queue: ""), "queue"),
        ("k", EnqueueOptions(maxAttempts: 0), "max_attempts"),
        ("k", EnqueueOptions(timeout: .seconds(-1)), "timeout"),
        ("k", EnqueueOptions(runAt: .distantFuture), "run_at"),
        ("k", EnqueueOptions(unique: Unique("")), "unique_key"),
        ("k", EnqueueOptions(concurrencyKey: String(repeating: "x", count: 1001)), "concurrency_key"),
        ("k", EnqueueOptions(cores: 0), "cores"),
        ("k", EnqueueOptions(cores: .nan), "cores"),
        ("k", EnqueueOptions(memory: -1), "memory"),
    ]
    for (kind, options, argument) in cases {
        let one = await queueError { try await queue.enqueue(kind, options: options) }
        let many = await queueError {
            try await queue.enqueueMany([NewJob("fine"), NewJob(kind, [:] as [String: Int], options)])
        }
        for error in [one, many] {
            #expect(error?.code == .badRequest, "\(argument): \(error.map(\.description) ?? "")")
            #expect(error?.message.contains(argument) == true)
            #expect(error?.hint != nil, "\(argument)")
        }
        #expect(many?.message.contains("job 2") == true, "\(many?.message ?? "")")
    }
    let parent = await queueError { try await queue.enqueue("k", options: EnqueueOptions(dependsOn: [UUID()])) }
    #expect(parent?.code == .notFound)
    let infinite = await queueError { try await queue.enqueue("k", ["x": Double.infinity]) }
    #expect(infinite?.code == .badRequest)
    let broken = await queueError { try await queue.enqueue("k", RawJSON("{\"a\": ")) }
    #expect(broken?.code == .badRequest)
    #expect(broken?.hint?.contains("JSON") == true)
    #expect(try await queue.jobs().isEmpty)
    await queue.close()
}

@Test func `NUL is refused wherever it stands, and only NUL`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let attempts: [(String, () async throws -> Void)] = [
        ("kind", { try await queue.enqueue("k\0") }),
        ("queue", { try await queue.enqueue("k", options: EnqueueOptions(queue: "a\0b")) }),
        ("payload", { try await queue.enqueue("k", ["text": "a\0b"]) }),
        ("payload", { try await queue.enqueue("k", RawJSON(#"{"\u0000": 1}"#)) }),
        ("metadata", { try await queue.enqueue("k", options: EnqueueOptions(metadata: ["x": "\0"])) }),
        ("job 2", { try await queue.enqueueMany([NewJob("k"), NewJob("k", "\0")]) }),
        ("node", { try await queue.enqueueWorkflow(WorkflowRequest("w", jobs: ["n\0": WorkflowJob("k")])) }),
    ]
    for (place, attempt) in attempts {
        let error = await queueError(attempt)
        #expect(error?.code == .badRequest)
        #expect(
            error?.message.contains("NUL") == true && error?.message.contains(place) == true, "\(error?.message ?? "")")
        #expect(error?.hint?.contains("base64") == true)
    }
    // The text of the escape is not the character.
    let id = try await queue.enqueue("k", [#"\u0000"#, #"\\u0000"#])
    #expect(try await queue.job(id)?.payload?.decode([String].self) == [#"\u0000"#, #"\\u0000"#])
    await queue.close()
}

@Test func `unusual text, large payloads and long numbers come back the same`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let texts = [
        "👩‍👩‍👧‍👦🏳️‍🌈", "e\u{301} é", "\u{202E}right to left", "\u{FFFD}\u{FEFF}\u{10FFFF}", "line\nbreak\ttab\u{1}\u{7F}",
        "' \" \\ $$ $1 %s {{schema}}", "شكراً 猫 ₿",
    ]
    for text in texts {
        let options = EnqueueOptions(queue: text, concurrencyKey: text, metadata: [text: .string(text)])
        let one = try await queue.enqueue(text, [text: text], options: options)
        for id in try await [one] + queue.enqueueMany([NewJob(text, [text: text], options)]) {
            let job = try #require(try await queue.job(id))
            #expect(Array(job.kind.utf8) == Array(text.utf8) && Array(job.queue.utf8) == Array(text.utf8))
            #expect(try job.payload?.decode([String: String].self) == [text: text])
            #expect(try job.metadata?.decode([String: String].self) == [text: text])
        }
    }
    let large = (0..<70_000).map { "\($0) 猫 \"quoted\"" }
    let id = try await queue.enqueue("large", large)
    let payload = try #require(try await queue.job(id)?.payload)
    #expect(payload.bytes.count > 1 << 20)
    #expect(try payload.decode([String].self) == large)
    let number = "123456789012345678901234567890.12345678901234567890123456789"
    let exact = try await queue.enqueue("exact", RawJSON(number))
    #expect(try await queue.job(exact)?.payload?.text == number)
    await queue.close()
}

@Test func `names and JSON that look like SQL are nothing but text`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let attacks = [
        "'; DROP TABLE kiln.job; --", "\"; DROP SCHEMA kiln CASCADE; --", "$$; DROP TABLE kiln.job; $$",
        "x' OR '1'='1", "}}'); DELETE FROM kiln.job; --", "\\'; SELECT pg_sleep(10); --",
    ]
    for attack in attacks {
        let id = try await queue.enqueue(
            attack, [attack: attack],
            options: EnqueueOptions(queue: attack, unique: Unique(attack), concurrencyKey: attack))
        #expect(try await queue.jobs(JobFilter(kind: attack, queue: attack)).map(\.id) == [id])
        try await queue.setQueue(attack, QueueLimits(concurrency: 1))
        try await queue.pause(attack)
        try await queue.schedule(attack, cron: "@daily", kind: attack, payload: attack)
        _ = try await queue.enqueueWorkflow(WorkflowRequest(attack, jobs: [attack: WorkflowJob(attack)]))
        #expect(try await queue.deadJobs(kind: attack).isEmpty)
        #expect(try await queue.cancel(id, reason: attack) == .cancelled)
        #expect(try await queue.job(id)?.reason == attack)
        await #expect(throws: QueueError.self) {
            try await queue.schedule("s", cron: attack, timezone: attack, kind: "k")
        }
    }
    #expect(
        try await queue.schedules().map(\.name)
            == attacks.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
    #expect(try await queue.jobs(JobFilter(states: [.cancelled])).count == attacks.count)
    await queue.close()
}

@Test func `a producer reaches its own jobs and nothing else`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let app = try await database.makeLogin(in: "kiln_producer")
    let other = try await database.makeLogin(in: "kiln_producer")
    let reader = try await database.makeLogin(in: "kiln_reader")
    let queue = try database.client(app.url)
    let stranger = try database.client(other.url)
    let watcher = try database.client(reader.url)
    let mine = try await queue.enqueue("mail", ["secret": 1])
    #expect(try await queue.job(mine)?.createdBy == app.name)
    #expect(try await queue.retry(mine) == .ready)
    try await queue.schedule("mine", cron: "@daily", kind: "mail")

    let refused: [() async throws -> Void] = [
        { _ = try await stranger.job(mine) }, { try await stranger.cancel(mine) }, { try await stranger.retry(mine) },
        { try await stranger.wait(for: mine) },
        { try await stranger.enqueue("mail", options: EnqueueOptions(dependsOn: [mine])) },
        { try await stranger.schedule("mine", cron: "@daily", kind: "mail") },
        { try await stranger.unschedule("mine") },
        { _ = try await stranger.jobs() }, { _ = try await stranger.queues() }, { _ = try await stranger.health() },
        { try await stranger.pause("mail") }, { try await watcher.cancel(mine) }, { try await watcher.enqueue("mail") },
    ]
    for (index, attempt) in refused.enumerated() {
        let error = await queueError(attempt)
        #expect(error?.code == .permission, "\(index): \(error.map(\.description) ?? "")")
        #expect(error?.hint != nil)
    }
    #expect(try await stranger.deadJobs().isEmpty)
    #expect(try await watcher.job(mine)?.payload?.text == #"{"secret": 1}"#)
    #expect(try await watcher.jobs().map(\.id) == [mine])
    #expect(try await queue.cancel(mine) == .cancelled)

    let connection = try await database.connection(app.url)
    for sql in [
        "SELECT * FROM kiln.job", "SELECT * FROM kiln.jobs", "SELECT * FROM kiln.job_history",
        "DELETE FROM kiln.job", "INSERT INTO kiln.setting VALUES ('a', 'b')", "SELECT kiln.maintain()",
        "SELECT kiln.finish(NULL, 'dead', NULL, NULL)", "CREATE TABLE kiln.mine (n int)",
        "SELECT kiln.worker_complete(NULL, NULL, NULL, NULL)", "SELECT kiln.enqueue_as('[]', 'postgres', NULL, '')",
    ] {
        #expect(await queueError { _ = try await connection.query(sql) }?.sqlState == "42501", "\(sql)")
    }
    await connection.close()
    for client in [queue, stranger, watcher] { await client.close() }
}

@Test func `the password is in no error`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let password = "s3cret-\(UUID().uuidString)"
    let login = try await database.makeLogin(in: nil, password: password)
    let port = database.cluster.port
    let urls = [
        login.url, "postgresql://nobody:\(password)@127.0.0.1:\(port)/\(database.name)?sslmode=disable",
        "postgresql://\(login.name):\(password)@127.0.0.1:\(port)/missing?sslmode=disable",
        "postgresql://\(login.name):\(password)@127.0.0.1:1/x",
        "host=127.0.0.1 port=\(port) user=\(login.name) password=\(password) dbname=\(database.name) sslmode=disable",
        "postgresql://\(login.name):\(password)@x@127.0.0.1/x", "postgresql://\(login.name):\(password)@/x?nonsense=1",
        "host=x password='\(password)", "password=\(password) nonsense",
    ]
    for url in urls {
        let error = await queueError {
            let queue = try QueueClient(url, options: .init(acquireTimeout: .zero), logger: quiet)
            do { try await queue.enqueue("mail") } catch {
                await queue.close()
                throw error
            }
        }
        let error2 = try #require(error)
        var told = ""
        dump(error2, to: &told)
        #expect(!told.contains(password) && !error2.description.contains(password), "\(url)")
    }
}

@Test func `a database without the schema says to migrate`() async throws {
    let database = try await PostgresCluster.shared.makeDatabase()
    let queue = try database.client()
    for attempt in [{ try await queue.enqueue("k") }, { _ = try await queue.jobs() }] as [() async throws -> Void] {
        let error = await queueError(attempt)
        #expect(error?.code == .schema)
        #expect(error?.hint?.contains("kiln migrate") == true)
    }
    await queue.close()
}
