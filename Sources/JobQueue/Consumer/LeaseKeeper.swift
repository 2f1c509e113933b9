import Foundation
import Locking
import Logging

/// Keeps a worker's lease, on two threads and a connection of its own: handlers may keep all of Swift's threads busy.
///
/// One thread renews (``LeaseRenewer``). The other only watches the clock, so that nothing the network or a name server
/// does keeps it from stopping the jobs in time; it also sees to timeouts. Both have the priority of any other thread:
/// a lease is counted in seconds, and what the system's scheduler takes from a thread that mostly sleeps in milliseconds.
/// Thread-safe.
final class LeaseKeeper: Sendable {
    private struct State {
        var clock: LeaseClock?
        var asksSignals = false
        var isClosed = false
    }

    /// What the renewing thread connects with.
    let settings: PostgresSettings
    let statements: WorkerStatements
    let lease: Duration
    /// Whether to ask for signals between renewals, as no notification tells of them.
    let pollsSignals: Bool
    let logger: Logger
    let origin = ContinuousClock.now
    let renewWake: WakeSignal
    private let watchWake: WakeSignal
    private let state = Locked(State())
    private let threads = DispatchGroup()

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

    /// Since the keeper was made; goes on while the machine sleeps.
    var now: Duration { origin.duration(to: .now) }

    /// Begins, after a registration whose request was sent at `sentAt`.
    func begin(_ session: WorkerSession, registeredAt sentAt: ContinuousClock.Instant) {
        state.withLock { $0.clock = LeaseClock(lease: lease, registeredBy: origin.duration(to: sentAt)) }
        // The session is kept until both threads are done.
        start("kiln.lease") { [self] in LeaseRenewer(self, session).run() }
        start("kiln.watch") { [self] in watch(session) }
    }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        threads.enter()
        let thread = Thread { [threads] in
            body()
            threads.leave()
        }
        thread.name = name
        thread.stackSize = 512 << 10
        thread.start()
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

    /// Notifications may have been missed: asks what they would have said.
    func askSignals() {
        state.withLock { $0.asksSignals = true }
        wake()
    }

    /// Whether somebody has called `askSignals` since the last call.
    func takeSignalsWish() -> Bool {
        state.withLock { state in
            defer { state.asksSignals = false }
            return state.asksSignals
        }
    }

    /// Another connection was told that the lease is gone.
    func refused() {
        state.withLock { $0.clock?.leaseRefused() }
        wakeWatch()
    }

    /// Whether the lease's time is over, as the clock says now.
    var isOver: Bool {
        if case .stop = decide() { true } else { false }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// What the clock says now; nil before `begin`.
    func decide() -> LeaseClock.Action? {
        state.withLock { $0.clock?.decide(at: now) }
    }

    /// A renewal is about to be sent.
    ///
    /// - Returns: until when it may take, so that a try that hangs leaves the time for another.
    func renewalBegins() -> Duration {
        state.withLock { state in
            let now = now
            state.clock?.renewalSent(at: now)
            let interval = state.clock?.interval ?? lease
            return now + max(.milliseconds(1), min(interval, (state.clock?.deadline ?? now) - now))
        }
    }

    func renewalSucceeded() { state.withLock { $0.clock?.renewalSucceeded(at: now) } }
    func renewalFailed() { state.withLock { $0.clock?.renewalFailed(at: now) } }

    private func watch(_ session: WorkerSession) {
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
}
