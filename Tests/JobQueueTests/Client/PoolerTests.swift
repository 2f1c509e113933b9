import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

/// Behind pgbouncer in transaction mode.
@Suite(
    .enabled(if: PgBouncer.program != nil, "needs pgbouncer (scripts/setup --test)"), .serialized,
    .timeLimit(.minutes(3)))
struct PoolerTests {
    private func setUp() async throws -> (TestDatabase, String) {
        let cluster = try await PostgresCluster.shared
        let database = try await cluster.makeQueueDatabase()
        return (database, try await PgBouncer.start(before: cluster).url(database: database.name))
    }

    @Test func `it is found, and a worker polls and runs what there is`() async throws {
        let (database, address) = try await setUp()
        #expect(try await PoolerDetection.probe(PostgresSettings(address), logger: quiet) == .transactionPooler)
        let worker = try QueueWorker(address, options: WorkerBench.options { $0.slots = 2 }, logger: quiet)
        worker.register("test") { (job: Job<Int>) in
            job.progress(0.5)
            return try await job.step("double") { () -> Int in job.payload * 2 }
        }
        let work = Task { try await worker.run() }
        let queue = try database.client()
        let ids = try await queue.enqueueMany((0..<20).map { NewJob("test", $0) })
        for (n, id) in ids.enumerated() {
            #expect(try await queue.wait(for: id, as: Int.self, timeout: .seconds(60)) == n * 2)
        }
        // It sleeps by now, and nobody can wake it.
        let late = try await queue.enqueue("test", 50)
        #expect(try await queue.wait(for: late, as: Int.self, timeout: .seconds(60)) == 100)
        worker.shutDown(grace: .zero)
        try await work.value
        await queue.close()
    }

    @Test func `a running job's cancellation is seen by polling`() async throws {
        let (database, address) = try await setUp()
        let begun = Gate()
        let worker = try QueueWorker(address, options: WorkerBench.options(), logger: quiet)
        worker.register("test") { (job: Job<Int>) in
            begun.open()
            try await Task.sleep(for: .seconds(600))
        }
        let work = Task { try await worker.run() }
        let queue = try database.client()
        let id = try await queue.enqueue("test", 1)
        await begun.pass()
        #expect(try await queue.cancel(id, reason: "no more") == .cancelling)
        let failure = await #expect(throws: JobFailure.self) { try await queue.wait(for: id, timeout: .seconds(60)) }
        #expect(failure?.message == "no more")
        worker.shutDown(grace: .zero)
        try await work.value
        await queue.close()
    }

    @Test(arguments: [false, true]) func `a client works, told of the pooler or not`(isTold: Bool) async throws {
        let (database, address) = try await setUp()
        let queue = try QueueClient(address, options: .init(isBehindTransactionPooler: isTold), logger: quiet)
        let worker = try await SpokenWorker(database, queues: ["mail"])
        // More connections than the pooler has sessions, so that they change hands.
        let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
            for n in 0..<40 { group.addTask { try await queue.enqueue("mail", ["n": n]) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(ids).count == 40)
        let many = try await queue.enqueueMany((0..<1500).map { NewJob("count", ["n": $0]) })
        #expect(try await queue.jobs(JobFilter(kind: "count", limit: 2000)).count == many.count)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for id in ids { group.addTask { try await queue.wait(for: id, as: Int.self, timeout: .seconds(60)) } }
            for n in ids.indices { try await worker.complete(try await worker.claim(), result: "\(n)") }
            #expect(try await group.reduce(into: Set<Int>()) { $0.insert($1) }.count == 40)
        }
        try await queue.cancel(many[0])
        #expect(try await queue.job(many[0])?.state == .cancelled)
        await worker.connection.close()
        await queue.close()
    }

    @Test func `a migration says that it needs a session of its own`() async throws {
        let (_, address) = try await setUp()
        let error = await queueError { _ = try await Migrations(address, logger: quiet).migrate() }
        #expect(error?.code == .schema && error?.hint?.contains("straight to the server") == true)
    }
}
