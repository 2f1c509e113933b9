import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Suite(.timeLimit(.minutes(3))) struct FailoverTests {
    @Test func `client and worker go to the primary of several hosts, and on to the standby that takes its place`()
        async throws
    {
        let primary = try await PostgresCluster.start()
        let database = try await primary.makeQueueDatabase()
        let standby = try await primary.makeStandby()
        // The standby comes first: it is reached, and passed over.
        let address = standby.failoverURL(database: database.name, with: primary)
        let connection = try await PostgresConnection.connect(PostgresSettings(address), logger: quiet)
        #expect(try await connection.value("SELECT current_setting('port')", as: String.self) == "\(primary.port)")
        await connection.close()

        let queue = try QueueClient(address, options: .init(acquireTimeout: .seconds(60)), logger: quiet)
        let worker = try QueueWorker(address, options: WorkerBench.options(), logger: quiet)
        let (begun, goOn) = (Gate(), Gate())
        worker.register("test") { (job: Job<String>) in
            if job.payload == "through" {
                begun.open()
                await goOn.pass()
            }
            return "\(job.payload) done"
        }
        let work = Task { try await worker.run() }
        let before = try await queue.enqueue("test", "before")
        #expect(try await queue.wait(for: before, as: String.self, timeout: .seconds(60)) == "before done")
        let through = try await queue.enqueue("test", "through")
        async let result = queue.wait(for: through, as: String.self, timeout: .seconds(120))
        await begun.pass()

        // A shutdown waits until the standby has everything.
        try await primary.stop()
        try await standby.promote()
        goOn.open()
        #expect(try await result == "through done")
        let after = try await queue.enqueue("test", "after")
        #expect(try await queue.wait(for: after, as: String.self, timeout: .seconds(60)) == "after done")
        let observer = try await PostgresConnection.connect(
            PostgresSettings(standby.url(database: database.name)), logger: quiet)
        #expect(
            try await observer.value(
                "SELECT array_agg(result #>> '{}' ORDER BY id) FROM kiln.job_history", as: [String].self)
                == ["before done", "through done", "after done"])
        #expect(try await queue.job(before)?.state == .succeeded)
        await observer.close()
        worker.shutDown(grace: .zero)
        try await work.value
        await queue.close()
        await primary.remove()
        await standby.remove()
    }

    @Test func `a standby alone is refused where one that takes writes is wanted, and said to be one otherwise`()
        async throws
    {
        let primary = try await PostgresCluster.start()
        let database = try await primary.makeQueueDatabase()
        let standby = try await primary.makeStandby()
        let options = QueueClient.Options(acquireTimeout: .zero)
        let choosy = try QueueClient(standby.failoverURL(database: database.name), options: options, logger: quiet)
        let unwritable = await queueError { try await choosy.enqueue("k") }
        #expect(unwritable?.code == .cannotConnect && unwritable?.message.contains("read-only") == true)
        await choosy.close()
        let reader = try QueueClient(standby.url(database: database.name), options: options, logger: quiet)
        // What only reads works there.
        #expect(try await reader.jobs().isEmpty)
        let error = await queueError { try await reader.enqueue("k") }
        #expect(error?.sqlState == "25006" && error?.isTransient == true)
        await reader.close()
        await standby.remove()
        await primary.remove()
    }
}
