import Foundation
import Locking
import Logging
import Metrics

/// What a worker does for the queue itself: housekeeping, and firing schedules. Every worker tries; the database sees
/// to it that each thing is done once.
final class Housekeeper: Sendable {
    private let setup: WorkerSetup
    private let pool: PostgresPool
    private let session: @Sendable () -> WorkerSession?
    private let schema: String
    private let maintainSignal = AsyncSignal()
    private let scheduleSignal = AsyncSignal()
    private let isStopped = Locked(false)
    /// Schedules whose expression was complained about, by name and revision.
    private let reported = Locked<Set<String>>([])

    init(_ setup: WorkerSetup, pool: PostgresPool, session: @escaping @Sendable () -> WorkerSession?) {
        self.setup = setup
        self.pool = pool
        self.session = session
        schema = setup.schema.quotedIdentifier
    }

    func stop() {
        isStopped.withLock { $0 = true }
        maintainSignal.raise()
        scheduleSignal.raise()
    }

    func schedulesChanged() { scheduleSignal.raise() }

    private var goesOn: Bool { !isStopped.withLock { $0 } }

    // MARK: Housekeeping

    func maintain() async {
        var rarelyAt = ContinuousClock.now
        while goesOn {
            do {
                try await maintainOften()
                if ContinuousClock.now >= rarelyAt {
                    try await run("rarely")
                    rarelyAt = .now + .seconds(60)
                }
            } catch {
                if goesOn { setup.logger.warning("housekeeping failed, trying again: \(error)") }
            }
            // Not all workers at the same moment.
            await maintainSignal.wait(for: min(.seconds(1), setup.options.lease / 3) * Double.random(in: 0.8...1.2))
        }
    }

    /// Each call takes back the jobs of one dead worker; when many died together, the others are not left for later.
    func maintainOften() async throws {
        for _ in 0..<100 where goesOn {
            guard try await run("often") else { return }
        }
    }

    /// - Returns: whether there is more to do at once.
    @discardableResult
    private func run(_ part: String) async throws -> Bool {
        struct Report: Decodable {
            var rescued: Int?
            var more: Bool?
        }
        let rows = try await pool.withConnection {
            try await $0.query("SELECT \(self.schema).maintain($1)", [part], timeout: .seconds(60))
        }
        guard let report = try rows.first?.decode(0, as: PostgresJSON.self).decode(Report.self) else { return false }
        if let rescued = report.rescued, rescued > 0 {
            setup.metrics.rescued.increment(by: rescued)
            setup.events.send(.rescued(count: rescued))
            setup.logger.warning("\(rescued) jobs of workers that had died were put back")
            session()?.notified()
        }
        return report.more ?? false
    }

    // MARK: Schedules

    func fireSchedules() async {
        while goesOn {
            var wait = Duration.seconds(30)
            do {
                wait = try await firedDue()
            } catch {
                if goesOn { setup.logger.warning("schedules could not be fired, trying again: \(error)") }
                wait = .seconds(1)
            }
            await scheduleSignal.wait(for: wait)
        }
    }

    /// - Returns: how long until the next tick, at most 30 s.
    private func firedDue() async throws -> Duration {
        let rows = try await pool.withConnection {
            try await $0.query("SELECT * FROM \(self.schema).worker_schedules()")
        }
        var wait = Duration.seconds(30)
        for row in rows {
            let now: Date = try row.decode("now")
            do {
                guard let next = try await fire(row, at: now) else { continue }
                wait = min(wait, .seconds(max(0.01, next.timeIntervalSince(now))))
            } catch let error as QueueError where error.sqlState != nil && !error.isTransient {
                // The database refuses this one's job: the others fire all the same.
                complain(try row.decode("name"), try row.decode("revision"), "\(error)")
                wait = min(wait, .seconds(5))
            }
        }
        return wait
    }

    /// Says once per version of a schedule what is wrong with it.
    private func complain(_ name: String, _ revision: Int64, _ trouble: String) {
        guard reported.withLock({ $0.insert("\(name) \(revision)").inserted }) else { return }
        setup.logger.error("schedule \(name.debugDescription) cannot fire: \(trouble)")
    }

    /// Fires what is due of a schedule.
    ///
    /// - Returns: its next tick.
    private func fire(_ row: PostgresRow, at now: Date) async throws -> Date? {
        let name: String = try row.decode("name")
        let revision: Int64 = try row.decode("revision")
        let settled: Date = try row.decode("settled_until")
        let planned: Date? = try row.decode("next_tick")
        let missed: String = try row.decode("missed")
        let schedule: CronSchedule
        do {
            schedule = try CronSchedule(try row.decode("cron"), timeZone: try row.decode("timezone"))
        } catch let error as CronError {
            complain(name, revision, "\(error)")
            return nil
        }
        let due = DueTicks(of: schedule, after: settled, now: now, missed: MissedTicks(rawValue: missed) ?? .last)
        if due.isCapped {
            setup.logger.warning("schedule \(name.debugDescription) has missed so many ticks that some are left out")
        }
        for tick in due.fire { try await fire(name, revision, tick, next: due.nextTick, enqueue: true) }
        if due.lastTick > settled, due.lastTick != due.fire.last {
            try await fire(name, revision, due.lastTick, next: due.nextTick, enqueue: false)
        } else if due.fire.isEmpty, planned != due.nextTick {
            _ = try await pool.withConnection {
                try await $0.query("SELECT \(self.schema).worker_plan($1, $2, $3)", [name, revision, due.nextTick])
            }
        }
        return due.nextTick
    }

    private func fire(_ name: String, _ revision: Int64, _ tick: Date, next: Date?, enqueue: Bool) async throws {
        let rows = try await pool.withConnection {
            try await $0.query(
                "SELECT \(self.schema).worker_fire($1, $2, $3, $4, $5)", [name, revision, tick, next, enqueue])
        }
        guard let job = try rows.first?.decode(0, as: UUID?.self) else { return }
        setup.logger.debug(
            "schedule \(name.debugDescription) fired",
            metadata: ["job": "\(job)", "tick": "\(tick.formatted(.iso8601))"])
    }
}
