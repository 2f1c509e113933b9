import Foundation
import Locking
import Logging

/// Tells the tasks of a client when jobs and workflows that they wait for are over.
///
/// While somebody waits, and for some seconds after, one connection listens and one task asks the database about all
/// of them, now and then. Behind a pooler in transaction mode, where nobody can listen, it only asks. Thread-safe.
final class EndWatch: Sendable {
    /// One task that waits.
    struct Ticket: Sendable {
        let subject: UUID
        let signal = AsyncSignal()
        fileprivate let number: Int

        /// Returns when there is news, after `limit`, or when the task is cancelled.
        func news(within limit: Duration?) async {
            // A timer for hours would be kept until then, also of a job that takes a moment.
            let limit = min(limit ?? .seconds(30), .seconds(30))
            await withTaskCancellationHandler {
                await signal.wait(for: limit)
            } onCancel: {
                signal.raise()
            }
        }
    }

    private struct State {
        var schedule: WaitSchedule
        var tickets: [UUID: [Int: AsyncSignal]] = [:]
        var task: Task<Void, Never>?
        /// The task before, which may still be closing its connection.
        var lastTask: Task<Void, Never>?
        var isClosed = false
        var isPooled: Bool?
    }

    private let pool: PostgresPool
    private let schema: String
    private let logger: Logger
    /// The name of the channel.
    private let id = UUID()
    private let start = ContinuousClock.now
    private let signal = AsyncSignal()
    private let state: Locked<State>

    /// How long it goes on listening when nobody waits any more.
    private static let linger = Duration.seconds(5)
    /// How long the database remembers that somebody waits.
    private static let keep = Duration.seconds(30)

    /// - Parameter schema: as an identifier.
    init(pool: PostgresPool, schema: String, schedule: WaitSchedule = WaitSchedule(), logger: Logger) {
        state = Locked(State(schedule: schedule))
        self.pool = pool
        self.schema = schema
        self.logger = logger
    }

    private var now: Duration { start.duration(to: .now) }

    // MARK: Those who wait

    /// Begins to wait. Look once before: of what is over already there may be no news.
    func enter(_ subject: UUID) -> Ticket {
        let now = now
        let ticket = state.withLock { state -> Ticket in
            let ticket = Ticket(subject: subject, number: state.schedule.enter(subject, at: now))
            state.tickets[subject, default: [:]][ticket.number] = ticket.signal
            if state.isClosed {
                ticket.signal.raise()
            } else if state.task == nil {
                let last = state.lastTask
                state.task = Task {
                    await last?.value
                    await self.run()
                }
                state.lastTask = state.task
            }
            return ticket
        }
        signal.raise()
        return ticket
    }

    func leave(_ ticket: Ticket) {
        state.withLock { state in
            state.schedule.leave(ticket.subject, ticket.number)
            state.tickets[ticket.subject]?[ticket.number] = nil
            if state.tickets[ticket.subject]?.isEmpty == true { state.tickets[ticket.subject] = nil }
        }
    }

    /// Ends; everybody who waits is told to look.
    func close() async {
        let task = state.withLock { state in
            state.isClosed = true
            return state.task
        }
        tell(nil)
        signal.raise()
        await task?.value
    }

    /// - Parameter subjects: nil: all.
    private func tell(_ subjects: [UUID]?) {
        let signals = state.withLock { state in
            guard let subjects else { return state.tickets.values.flatMap { $0.values } }
            return subjects.flatMap { state.tickets[$0]?.values.map { $0 } ?? [] }
        }
        for signal in signals { signal.raise() }
    }

    // MARK: The task

    private func run() async {
        let listener = await isBehindTransactionPooler() ? nil : Task { await listen() }
        var emptySince: Duration?
        while true {
            let now = now
            let (look, left, next, isEmpty) = state.withLock { state in
                let due = state.schedule.due(at: now)
                return (due.look, due.left, state.schedule.next, state.schedule.isEmpty)
            }
            if !look.isEmpty || !left.isEmpty { await ask(look, left) }
            emptySince = isEmpty ? emptySince ?? now : nil
            let isOver = state.withLock { state in
                let isUnused = state.schedule.isEmpty && emptySince.map { now - $0 >= Self.linger } == true
                guard state.isClosed || isUnused else { return false }
                state.task = nil
                return true
            }
            if isOver { break }
            await signal.wait(for: next.map { $0 - self.now } ?? Self.linger)
        }
        listener?.cancel()
        await listener?.value
    }

    /// Has the database note who waits, and learns what is over.
    private func ask(_ look: [UUID], _ left: [UUID]) async {
        var list: [PostgresStatement] = []
        if !left.isEmpty {
            list.append(PostgresStatement("SELECT \(schema).unwatch($1, $2)", [left, id], name: "kiln_unwatch"))
        }
        if !look.isEmpty {
            list.append(
                PostgresStatement(
                    "SELECT id FROM \(schema).watch($1, $2, $3)", [look, id, Self.keep], name: "kiln_watch"))
        }
        let statements = list
        do {
            let rows = try await pool.withConnection { try await $0.pipeline(statements) }
            guard !look.isEmpty, let over = rows.last else { return }
            tell(try over.map { try $0.decode(0, as: UUID.self) })
        } catch let error as QueueError where error.isTransient || error.code == .deadline {
            logger.debug("\(error); asking again about what is waited for")
        } catch {
            // Whoever waits finds out what is the matter.
            tell(look)
        }
    }

    private func listen() async {
        let channel = "kiln:\(id.uuidString.lowercased())"
        await PostgresListener(pool.settings, channels: [channel], logger: logger).run { [self] event in
            switch event {
            case .connected: listening(true)
            case .disconnected: listening(false)
            case .notification(let note):
                if let subject = UUID(uuidString: note.payload) { tell([subject]) }
            }
        }
        listening(false)
    }

    private func listening(_ isListening: Bool) {
        let now = now
        state.withLock { $0.schedule.listening(isListening, at: now) }
        signal.raise()
    }

    private func isBehindTransactionPooler() async -> Bool {
        if pool.settings.pooling == .transaction { return true }
        if let known = state.withLock({ $0.isPooled }) { return known }
        do {
            let isDirect = try await pool.withConnection { connection in
                try await connection.announcedProcess() == PoolerDetection.serverProcess(of: connection)
            }
            let isPooled =
                isDirect
                ? false : try await PoolerDetection.probe(pool.settings, logger: logger) == .transactionPooler
            state.withLock { $0.isPooled = isPooled }
            return isPooled
        } catch {
            // The database is away, or has no connection to spare: found out the next time.
            logger.debug("whether there is a pooler is not known: \(error)")
            return false
        }
    }
}
