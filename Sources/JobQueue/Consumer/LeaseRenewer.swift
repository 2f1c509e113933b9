import Foundation
import Logging
import Metrics

/// What the renewing thread of a ``LeaseKeeper`` does: renews the lease, takes the signals that come back, and writes
/// progress in between. Lives on that thread and never leaves it.
///
/// A renewal touches the worker's own row and nothing else. Progress goes by itself, and waits for no lock: an app's
/// open transaction that has cancelled a running job holds that job's row, and must not cost the lease.
final class LeaseRenewer {
    private let keeper: LeaseKeeper
    private let session: WorkerSession
    private var connection: PostgresSession?
    private var polledAt = Duration.zero
    /// Whether the trouble with progress that there is has been logged.
    private var hasComplained = false

    /// How often to ask for signals where no notification tells of them.
    private static let pollInterval = Duration.milliseconds(500)

    init(_ keeper: LeaseKeeper, _ session: WorkerSession) {
        self.keeper = keeper
        self.session = session
    }

    /// Returns when the lease is lost or the keeper closed.
    func run() {
        defer { connection?.finish() }
        while !keeper.isClosed {
            switch keeper.decide() {
            case nil: return
            case .stop:
                // Timers stand still while a machine is suspended, and the other thread may sleep on.
                keeper.wakeWatch()
                return
            case .renew: renew()
            case .wait(let until): idle(until: until)
            }
        }
    }

    private func idle(until limit: Duration) {
        let now = keeper.now
        if keeper.takeSignalsWish() || keeper.pollsSignals && now >= polledAt + Self.pollInterval {
            askSignals(before: limit)
            return
        }
        let progressAt = session.progressDue.map { $0 + keeper.origin.duration(to: session.beginning) }
        if let progressAt, progressAt <= now {
            writeProgress(before: limit)
            return
        }
        var until = min(limit, progressAt ?? limit)
        if keeper.pollsSignals { until = min(until, polledAt + Self.pollInterval) }
        _ = keeper.renewWake.wait(socket: nil, until: keeper.origin + until)
    }

    // MARK: Renewing

    private func renew() {
        let limit = keeper.renewalBegins()
        do throws(QueueError) {
            let rows = try query([keeper.statements.renew(lease: keeper.lease)], until: limit)
            keeper.renewalSucceeded()
            polledAt = keeper.now
            deliver(rows)
        } catch {
            if error.code == .leaseLost {
                keeper.refused()
                return
            }
            keeper.renewalFailed()
            session.metrics.renewFailures.increment()
            keeper.logger.warning("the lease could not be renewed, trying again: \(error)")
        }
    }

    private func askSignals(before limit: Duration) {
        polledAt = keeper.now
        do throws(QueueError) {
            deliver(try query([keeper.statements.signals], until: min(limit, keeper.now + .seconds(1))))
        } catch {
            keeper.logger.warning("cancels may come late, with the next renewal: \(error)")
        }
    }

    private func deliver(_ rows: PostgresRows) {
        for row in rows {
            do throws(QueueError) {
                guard try row.decode(2, as: String.self) == "cancel" else { continue }
                session.cancel(try row.decode(0), reason: try row.decode(3))
            } catch {
                keeper.logger.error("a signal cannot be read: \(error)")
            }
        }
    }

    // MARK: Progress

    private func writeProgress(before limit: Duration) {
        let reports = session.takeProgress()
        guard !reports.isEmpty else { return }
        let limit = min(limit, keeper.now + keeper.lease / 8)
        do throws(QueueError) {
            try write(reports, until: limit)
            hasComplained = false
        } catch {
            // One that cannot be written holds up no other.
            guard reports.count > 1, error.isLockTimeout || error.mayBeOfItsData else {
                failed(reports, error)
                return
            }
            for report in reports {
                do throws(QueueError) {
                    try write([report], until: limit)
                } catch {
                    failed([report], error)
                }
            }
        }
    }

    private func write(_ reports: [WorkerSession.Report], until limit: Duration) throws(QueueError) {
        let items = reports.map { $0.value.report.json(of: $0.value.context.job) }
        _ = try query(
            [keeper.statements.limitLocks(to: WorkerState.lockPatience), keeper.statements.progress(items)],
            until: limit)
    }

    private func failed(_ reports: [WorkerSession.Report], _ error: QueueError) {
        if error.mayBeOfItsData {
            keeper.logger.warning("progress cannot be stored and is dropped: \(error)")
            return
        }
        session.returnProgress(reports)
        keeper.logger.log(level: hasComplained ? .debug : .warning, "progress is written late: \(error)")
        hasComplained = true
    }

    // MARK: The connection

    /// Runs statements in one transaction, on the connection there is or a new one.
    ///
    /// - Returns: the rows of the last.
    private func query(_ list: [PostgresStatement], until limit: Duration) throws(QueueError) -> PostgresRows {
        do throws(QueueError) {
            let open = try opened(until: limit)
            open.control = control(until: limit)
            if list.count == 1 { return try open.run(list[0]) }
            guard let rows = try open.pipeline(list).last else {
                throw QueueError(.internal, "a pipeline gave no rows")
            }
            return rows
        } catch {
            drop(after: error)
            throw error
        }
    }

    private func control(until limit: Duration) -> OperationControl {
        OperationControl(timeout: max(.milliseconds(1), limit - keeper.now))
    }

    private func opened(until limit: Duration) throws(QueueError) -> PostgresSession {
        if let connection { return connection }
        let fresh = PostgresSession(
            settings: keeper.settings, inbox: PostgresInbox(wake: keeper.renewWake), logger: keeper.logger,
            events: PostgresConnectionEvents())
        fresh.control = control(until: limit)
        try fresh.connect()
        connection = fresh
        return fresh
    }

    /// After anything but the server's refusal of a statement, the connection is made anew.
    private func drop(after error: QueueError) {
        let isRefusal = error.sqlState != nil && error.code != .connectionLost && error.code != .cannotConnect
        guard !isRefusal || connection?.connection == nil else { return }
        connection?.finish()
        connection = nil
    }
}
