import Foundation
import Locking
import Logging
import PostgresTestSupport
import Testing

@testable import JobQueue

/// A database with the schema, a connection to look into it, and the workers of one test.
final class WorkerBench: Sendable {
    let database: TestDatabase
    let connection: PostgresConnection
    private let running = Locked<[(QueueWorker, Task<Void, any Error>)]>([])

    private init(_ database: TestDatabase) async throws {
        self.database = database
        connection = try await PostgresConnection.connect(PostgresSettings(database.url), logger: quiet)
    }

    /// Runs a test, and stops its workers at the end.
    static func with(
        cluster: PostgresCluster? = nil, _ body: (WorkerBench) async throws -> Void
    ) async throws {
        var cluster = cluster
        if cluster == nil { cluster = try await PostgresCluster.shared }
        let database = try await #require(cluster).makeDatabase(template: "kiln") {
            try await Migrations($0, logger: quiet).migrate()
        }
        let bench = try await WorkerBench(database)
        do {
            try await body(bench)
        } catch {
            await bench.stop()
            throw error
        }
        await bench.stop()
    }

    private func stop() async {
        let all = running.withLock { $0 }
        for (worker, _) in all { worker.shutDown(grace: .zero) }
        for (_, task) in all { try? await task.value }
        await connection.close()
    }

    // MARK: Workers

    static func options(_ change: (inout WorkerOptions) -> Void = { _ in }) -> WorkerOptions {
        var options = WorkerOptions(name: "test", slots: 4, lease: .seconds(10), grace: .seconds(5))
        options.cancellationGrace = .seconds(5)
        change(&options)
        return options
    }

    func worker(
        url: String? = nil, _ change: (inout WorkerOptions) -> Void = { _ in }
    ) throws -> QueueWorker {
        try QueueWorker(url ?? database.url, options: Self.options(change), logger: quiet)
    }

    @discardableResult
    func start(_ worker: QueueWorker) async throws -> Task<Void, any Error> {
        let events = worker.events
        let task = Task { try await worker.run() }
        running.withLock { $0.append((worker, task)) }
        // The kinds' defaults are in the database from then on.
        _ = try await events.firstValue { if case .registered = $0 { true } else { nil } }
        return task
    }

    /// A worker with one handler, started.
    @discardableResult
    func serve<Payload: Codable & Sendable, Result: Codable & Sendable>(
        _ kind: String = "test", _ options: KindOptions = KindOptions(),
        _ change: (inout WorkerOptions) -> Void = { _ in },
        _ handler: @escaping @Sendable (Job<Payload>) async throws -> Result
    ) async throws -> QueueWorker {
        let worker = try worker(change)
        worker.register(kind, options, handler)
        try await start(worker)
        return worker
    }

    // MARK: The database

    @discardableResult
    func enqueue(_ kind: String = "test", _ payload: String = "{}", _ more: String = "") async throws -> UUID {
        try await connection.value(
            "SELECT kiln.enqueue($1, $2::jsonb\(more.isEmpty ? "" : ", " + more))", [kind, payload])
    }

    func text(_ sql: String, _ parameters: [(any PostgresEncodable)?] = []) async throws -> String? {
        try await connection.query(sql, parameters).first?.decode(0, as: String?.self)
    }

    /// Runs a query for what it does.
    func run(_ sql: String, _ parameters: [(any PostgresEncodable)?] = []) async throws {
        _ = try await connection.query(sql, parameters)
    }

    func json(_ id: UUID) async throws -> String { try await text("SELECT kiln.job($1)::text", [id]) ?? "" }

    /// Waits until the job is in that state.
    func wait(_ id: UUID, _ state: String, _ location: SourceLocation = #_sourceLocation) async throws {
        try await until("the job is \(state)", location) {
            try await self.text("SELECT state::text FROM kiln.jobs WHERE id = $1", [id]) == state
        }
    }

    /// Waits until a query gives true.
    func wait(
        sql: String, _ parameters: [(any PostgresEncodable)?] = [], _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await until(sql, location) { try await self.connection.value(sql, parameters) }
    }

    /// Looks again and again for 30 s at most.
    func until(
        _ what: String, _ location: SourceLocation = #_sourceLocation, _ isTrue: () async throws -> Bool
    ) async throws {
        let limit = ContinuousClock.now + .seconds(30)
        while try await !isTrue() {
            guard ContinuousClock.now < limit else {
                let jobs = try await text("SELECT string_agg(to_jsonb(j)::text, chr(10)) FROM kiln.job j") ?? "none"
                Issue.record("not within 30 s: \(what); jobs: \(jobs)", sourceLocation: location)
                throw QueueError(.deadline, what)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Something that tasks wait for and another brings about.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var count = 0
    }
    private let state = Locked(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Lets everybody through, from now on.
    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Ends with the task, if that is cancelled.
    func pass() async {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThrough = state.withLock { state in
                    guard !state.isOpen, !Task.isCancelled else { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if isThrough { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiting.removeValue(forKey: number) }
            waiter?.resume()
        }
    }

    /// Does not care about cancellation.
    func passStubbornly() async { await Task.detached { [self] in await pass() }.value }
}

final class Tally<Value: Sendable>: Sendable {
    private let list = Locked<[Value]>([])
    func add(_ value: Value) { list.withLock { $0.append(value) } }
    var all: [Value] { list.withLock { $0 } }
    var count: Int { all.count }
}

struct Nothing: Codable, Sendable {}

struct Trouble: Error, CustomStringConvertible {
    var description: String { "trouble at the mill" }
}

extension AsyncStream where Element: Sendable {
    /// The first that fits.
    func firstValue<T>(_ pick: (Element) -> T?) async throws -> T {
        for await element in self {
            if let value = pick(element) { return value }
        }
        throw QueueError(.deadline, "the stream ended")
    }
}
