import Foundation
import Logging
import Metrics
import Synchronization

/// Keeps a worker's lease, on two threads and a connection of its own: handlers may keep all of Swift's threads busy.
///
/// One thread renews, with the progress that waits, and takes the signals that come back. The other only watches the
/// clock, so that nothing the network or a name server does keeps it from stopping the jobs in time; it also sees to
/// timeouts. Thread-safe.
final class LeaseKeeper: Sendable {
    private struct State {
        var clock: LeaseClock?
        var isClosed = false
    }

    private let settings: PostgresSettings
    private let statements: WorkerStatements
    private let lease: Duration
    /// Whether to ask for signals between renewals, as no notification tells of them.
    private let pollsSignals: Bool
    private let logger: Logger
    private let origin = ContinuousClock.now
    private let renewWake: WakeSignal
    private let watchWake: WakeSignal
    private let state = Mutex(State())
    private let threads = DispatchGroup()
    private let renewFailures = Counter(label: "kiln_renew_failures_total")

    init(
        settings: PostgresSettings, statements: WorkerStatements, lease: Duration, pollsSignals: Bool, logger: Logger
    ) throws {
        var settings = settings
        settings.cancelGrace = .milliseconds(1)
        settings.connectTimeout = min(settings.connectTimeout ?? lease, lease / 2)
        self.settings = settings
        self.statements = statements
        self.lease = lease
        self.pollsSignals = pollsSignals
        self.logger = logger
        renewWake = try WakeSignal()
        watchWake = try WakeSignal()
    }

    private var now: Duration { origin.duration(to: .now) }

    /// Begins, after a registration whose request was sent at `sentAt`.
    func begin(_ session: WorkerSession, registeredAt sentAt: ContinuousClock.Instant) {
        state.withLock { $0.clock = LeaseClock(lease: lease, registeredBy: origin.duration(to: sentAt)) }
        // The session is kept until both threads are done.
        for (name, body) in [("kiln.lease", renewing), ("kiln.watch", watching)] {
            threads.enter()
            let thread = Thread { [threads] in
                body(session)
                threads.leave()
            }
            thread.name = name
            thread.stackSize = 512 << 10
            thread.start()
        }
    }

    /// Ends both threads, and returns when they have.
    func close() async {
        state.withLock { $0.isClosed = true }
        wake()
        wakeWatch()
        await withCheckedContinuation { continuation in
            threads.notify(queue: .global()) { continuation.resume() }
        }
    }

    /// There is progress to write.
    func wake() { renewWake.raise() }
    /// There is an earlier moment to watch for.
    func wakeWatch() { watchWake.raise() }

    /// Another connection was told that the lease is gone.
    func refused() {
        state.withLock { $0.clock?.leaseRefused() }
        wakeWatch()
    }

    /// Whether the lease's time is over, as the clock says now.
    var isOver: Bool {
        if case .stop = decide() { true } else { false }
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    private func decide() -> LeaseClock.Action? {
        let now = now
        return state.withLock { $0.clock?.decide(at: now) }
    }

    // MARK: Watching

    private func watching(_ session: WorkerSession) {
        var hasStopped = false
        while !isClosed {
            // First of all, also after the process was suspended.
            if !hasStopped, case .stop(let reason) = decide() {
                hasStopped = true
                session.lose(reason)
            }
            let next = session.tick().map { session.beginning + $0 }
            let deadline = hasStopped ? nil : state.withLock { $0.clock?.deadline }.map { origin + $0 }
            _ = watchWake.wait(socket: nil, until: [next, deadline].compactMap { $0 }.min())
        }
    }

    // MARK: Renewing

    private func renewing(_ session: WorkerSession) {
        var connection: PostgresSession?
        defer { connection?.finish() }
        var polledAt = Duration.zero
        while !isClosed {
            switch decide() {
            case .stop, nil: return
            case .renew:
                renew(session, &connection)
                polledAt = now
            case .wait(let until):
                let now = now
                let progressAt = session.progressDue.map { self.now($0, in: session) }
                if let progressAt, progressAt <= now {
                    writeProgress(session, &connection)
                    continue
                }
                var limit = min(until, progressAt ?? until)
                if pollsSignals {
                    if now >= polledAt + .milliseconds(500) {
                        polledAt = now
                        attempt(session, &connection, within: .seconds(1)) { (open) throws(QueueError) in
                            self.deliver(try open.run(self.statements.signals), to: session)
                        }
                        continue
                    }
                    limit = min(limit, polledAt + .milliseconds(500))
                }
                _ = renewWake.wait(socket: nil, until: origin + limit)
            }
        }
    }

    private func now(_ other: Duration, in session: WorkerSession) -> Duration {
        other + origin.duration(to: session.beginning)
    }

    private func renew(_ session: WorkerSession, _ connection: inout PostgresSession?) {
        let reports = session.takeProgress(all: true)
        let json =
            reports.isEmpty ? nil : JSONText.array(reports.map { $0.value.report.json(of: $0.value.context.job) })
        let (limit, sent) = state.withLock { state -> (Duration, Duration) in
            let now = now
            state.clock?.renewalSent(at: now)
            // So that a try that hangs leaves the time for another.
            let interval = state.clock?.interval ?? lease
            return (max(.milliseconds(1), min(interval, (state.clock?.deadline ?? now) - now)), now)
        }
        do throws(QueueError) {
            let open: PostgresSession = try opened(&connection, within: limit)
            open.control = OperationControl(timeout: max(.milliseconds(1), limit - (now - sent)))
            let rows = try open.run(statements.renew(lease: lease, progress: json))
            state.withLock { $0.clock?.renewalSucceeded(at: now) }
            deliver(rows, to: session)
        } catch {
            if error.code == .leaseLost {
                refused()
                return
            }
            renewFailures.increment()
            let isStorable = error.isTransient || error.code == .deadline || reports.isEmpty
            logger.warning("the lease could not be renewed, trying again: \(error)")
            state.withLock { $0.clock?.renewalFailed(at: now) }
            // Progress that the database refuses must not cost the lease.
            if isStorable { session.returnProgress(reports) }
            drop(&connection, after: error)
        }
    }

    private func writeProgress(_ session: WorkerSession, _ connection: inout PostgresSession?) {
        let reports = session.takeProgress(all: false)
        guard !reports.isEmpty else { return }
        attempt(session, &connection, within: lease / 8) { (open) throws(QueueError) in
            _ = try open.run(
                self.statements.progress(reports.map { $0.value.report.json(of: $0.value.context.job) }))
        }
    }

    private func attempt(
        _ session: WorkerSession, _ connection: inout PostgresSession?, within limit: Duration,
        _ body: (PostgresSession) throws(QueueError) -> Void
    ) {
        do throws(QueueError) {
            let open = try opened(&connection, within: limit)
            open.control = OperationControl(timeout: limit)
            try body(open)
        } catch {
            logger.debug("progress or signals: \(error)")
            drop(&connection, after: error)
        }
    }

    private func deliver(_ rows: PostgresRows, to session: WorkerSession) {
        for row in rows {
            guard let job = try? row.decode(0, as: UUID.self), let kind = try? row.decode(2, as: String.self),
                kind == "cancel"
            else { continue }
            session.cancel(job, reason: (try? row.decode(3, as: String?.self)) ?? nil)
        }
    }

    private func opened(
        _ connection: inout PostgresSession?, within limit: Duration
    ) throws(QueueError) -> PostgresSession {
        if let connection { return connection }
        let fresh = PostgresSession(
            settings: settings, inbox: PostgresInbox(wake: renewWake), logger: logger,
            events: PostgresConnectionEvents())
        fresh.control = OperationControl(timeout: limit)
        try fresh.connect()
        connection = fresh
        return fresh
    }

    /// After anything but the server's refusal of a statement, the connection is made anew.
    private func drop(_ connection: inout PostgresSession?, after error: QueueError) {
        let isSound = error.sqlState != nil && !error.isTransient && connection?.connection != nil
        guard !isSound else { return }
        connection?.finish()
        connection = nil
    }
}
