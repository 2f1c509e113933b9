import JobQueue
import PostgresTestSupport

/// A database, one connection to it, and the jobs in it.
struct JobDesk: Sendable {
    let table: JobTable
    let work: WorkerWork
    let database: QueueDatabase
    private let connection: PostgresConnection

    /// A database of its own, with Kiln's schema and nothing in it.
    init(_ table: JobTable, _ work: WorkerWork, on server: QueueServer) async throws {
        self.table = table
        self.work = work
        let made = try await server.cluster.makeDatabase(template: "service") { url in
            _ = try await Migrations(url, logger: QueueDatabase.quiet).migrate()
        }
        database = QueueDatabase(url: made.url, name: made.name, server: server)
        if let creation = table.creation { try await database.run(creation) }
        connection = try await database.connect()
    }

    func close() async throws {
        await connection.close()
        try await database.drop()
    }

    /// Jobs whose outputs bear the numbers of a range.
    func enqueue(_ numbers: ClosedRange<Int>) async throws {
        let key = "'\(work.output("' || i || '"))'"
        try await connection.script(
            "SELECT \(table.enqueue(key)) FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound)) i",
            timeout: .seconds(60))
    }

    func number(_ sql: String) async throws -> Double {
        let rows = try await connection.query("SELECT (\(sql))::float8 AS n", timeout: .seconds(60))
        return try rows.first?.decode("n", as: Double?.self) ?? 0
    }

    /// Waits until the last of so many jobs is done.
    ///
    /// - Throws: `ChildProcess.Failure` if one fails, if the process ends before, or if it takes too long.
    func untilDone(_ count: Int, by process: ServiceProcess) async throws {
        let deadline = ContinuousClock.now + .seconds(60 + 30 * count)
        while try await number(table.unfinished) > 0 {
            guard ContinuousClock.now < deadline else { throw failure("the jobs were not done in time") }
            if process.hasEnded { throw failure("the worker has ended") }
            if try await number(table.failed) > 0 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        guard try await number(table.failed) == 0 else {
            let rows = try await connection.query("SELECT (\(table.failure)) AS error")
            throw failure("a job has failed: \(try rows.first?.decode("error", as: String?.self) ?? "")")
        }
        let done = try await number(table.done)
        guard Int(done) == count else { throw failure("\(Int(done)) of \(count) jobs were done") }
    }

    private func failure(_ text: String) -> ChildProcess.Failure { ChildProcess.Failure(description: text) }
}
