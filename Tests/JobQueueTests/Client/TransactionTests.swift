import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Test func `what is enqueued in an app's transaction comes and goes with it`() async throws {
    let database = try await PostgresCluster.shared.makeQueueDatabase()
    let queue = try database.client()
    let app = try #require(try AppLibpq.function("PQconnectdb", AppLibpq.Connect.self)(database.url))
    try AppLibpq.execute(app, "CREATE TABLE customer (name text)")
    for ending in ["ROLLBACK", "COMMIT"] {
        try AppLibpq.execute(app, "BEGIN")
        try AppLibpq.execute(app, "INSERT INTO customer VALUES ('Ada')")
        let one = try await queue.enqueue("welcome", ["name": "Ada"], on: app)
        let many = try await queue.enqueueMany((0..<1500).map { NewJob("mail", ["n": $0]) }, on: app)
        let flow = try await queue.enqueueWorkflow(
            WorkflowRequest("w", jobs: ["a": WorkflowJob("x"), "b": WorkflowJob("x", after: ["a"])]), on: app)
        #expect(many.count == 1500)
        // Nobody else sees it yet.
        #expect(try await queue.job(one) == nil)
        #expect(try await queue.jobs().isEmpty)
        try AppLibpq.execute(app, ending)
        let isThere = ending == "COMMIT"
        #expect((try await queue.job(one) != nil) == isThere)
        #expect((try await queue.workflow(flow.id) != nil) == isThere)
        #expect(try await queue.jobs(JobFilter(limit: 10_000)).count == (isThere ? 1503 : 0))
        #expect(try await queue.health().ready == (isThere ? 1502 : 0))
    }
    // A refused job leaves the transaction failed, and the connection usable.
    try AppLibpq.execute(app, "BEGIN")
    let error = await queueError { try await queue.enqueue("", on: app) }
    #expect(error?.code == .badRequest)
    try AppLibpq.execute(app, "ROLLBACK")
    try await queue.enqueue("welcome", on: app)
    #expect(try await queue.jobs(JobFilter(limit: 10_000)).count == 1504)
    try AppLibpq.function("PQfinish", AppLibpq.Free.self)(app)
    await queue.close()
}
