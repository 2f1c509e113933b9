import Foundation
import Testing

@testable import JobQueue

@Test(.timeLimit(.minutes(4))) func `the queue works in a schema of any name`() async throws {
    let bench = try await QueueBench(schema: "Odd \"name's\\ x")
    let inbox = try await NotificationInbox(bench)
    let app = try await bench.login("producer")
    let worker = try await bench.worker("a")
    #expect(try await worker.sleep())
    let flow = try await app.workflow(
        #"[{"node": "x", "kind": "a", "concurrency_key": "k"}, {"node": "y", "kind": "a", "after": ["x"]}]"#)
    #expect(try await inbox.news() == ["wake:a"])
    let job = try await worker.claimOne()
    #expect(try await worker.beginStep(job, "s") == "t running")
    try await worker.progress(job, #""fraction": 0.5"#)
    try await worker.complete([job])
    let second = try await worker.claimOne()
    try await worker.fail(second, permanent: true)
    #expect(try await app.value("SELECT kiln.workflow($1) ->> 'status'", flow.id) == "failed")
    #expect(try await app.value("SELECT kiln.retry_workflow($1)", flow.id) == 1)
    let lonely = try await worker.claimOne()
    #expect(try await app.value("SELECT kiln.cancel($1)", lonely.id) == "cancelling")
    #expect(try await inbox.news().contains("cancel:\(worker.id):\(lonely.id)".lowercased()))
    try await worker.die()
    #expect(try await app.state(lonely.id) == "cancelled")
    // An old day, dropped.
    let table = "\(bench.schema.quotedIdentifier).job_history_dead"
    try await bench.run(
        "CREATE TABLE \(table)_20200101 PARTITION OF \(table) FOR VALUES FROM ('2020-01-01Z') TO ('2020-01-02Z')")
    #expect(try await bench.maintain(nil).contains(#""partitions_dropped": 1"#))
    try await bench.run(
        "SELECT kiln.set_queue('a', 1), kiln.pause('a'), kiln.set_kind('a'), kiln.schedule('s', '@daily', 'UTC', 'a')")
    for view in ["jobs", "dead_jobs", "queues", "workers", "pipeline_runs", "pipeline_steps"] {
        try await bench.run("SELECT * FROM kiln.\(view)")
    }
    #expect(try await bench.value("SELECT count(*) FROM kiln.health", as: Int.self) == 1)
    #expect(await app.error("SELECT * FROM kiln.job")?.sqlState == "42501")
    try await bench.expectHonestCounters()
}
