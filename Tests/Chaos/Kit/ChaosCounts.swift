import Foundation
import JobQueue
import Locking

/// What an experiment came to.
package struct ChaosCounts: Sendable {
    package var faults = 0
    package var jobs = 0
    /// Jobs that were taken and did not come to the end they should have.
    package var lost = 0
    /// Jobs that finished more than once.
    package var completedTwice = 0
    /// Results that were not worked out under the job's last claim, or changed later, and writes in the name of a
    /// dead worker that were accepted.
    package var overwritten = 0
    /// Moments at which more jobs ran, started or were unique than the queue allows.
    package var overshot = 0
    /// Children claimed before their parents had finished, and steps that ran again after they had succeeded.
    package var outOfOrder = 0
    /// Claims beyond the first whose handler began: allowed, as the work before may have been done in part.
    package var runAgain = 0
    /// Late writes that the fence refused.
    package var refused = 0
    /// Deadlocks that the server broke up: the statement is repeated, so they cost time only.
    package var deadlocks = 0
    package var workerDeaths = 0
    package var leasesLost = 0
    /// Poisonous jobs that were given up as crash suspects.
    package var crashSuspects = 0
    /// Calls of the producer that failed.
    package var failedCalls = 0
    /// Seconds from a fault until each job that it tore from a worker was claimed again, or from the return of the
    /// database until a job finished.
    package var recoveries: [Double] = []
    /// What is amiss, in words.
    package var remarks: [String] = []

    package var recoveryMedian: Double? { recoveries.isEmpty ? nil : recoveries.sorted()[recoveries.count / 2] }
    package var recoveryMax: Double? { recoveries.max() }
}

extension ChaosBench {
    /// Counts, when all is settled.
    func count() async throws -> ChaosCounts {
        let found = found.withLock { $0 }
        var counts = ChaosCounts()
        counts.faults = found.faults
        counts.jobs = try await value("SELECT count(*) FROM chaos.job")
        try await countJobs(&counts)
        try await countLimits(&counts)
        try await countOrder(&counts)
        counts.overwritten += found.zombieWritesAccepted.count
        counts.remarks += found.zombieWritesAccepted.map { "accepted from a dead worker: \($0)" }
        counts.refused = try await value("SELECT count(*) FROM chaos.note WHERE what = 'refused'")
        counts.refused += found.zombieWritesRefused
        counts.leasesLost = try await value("SELECT count(*) FROM chaos.note WHERE what = 'lease lost'")
        counts.runAgain = try await value(
            "SELECT count(*) - count(DISTINCT job) FROM (SELECT DISTINCT token, job FROM chaos.execution) e")
        counts.workerDeaths = workers.map(\.deaths).reduce(0, +)
        counts.failedCalls = producer.failures
        counts.deadlocks = deadlocks
        try await measure(found, &counts)
        if !counts.remarks.isEmpty { counts.remarks.append(workerLogs) }
        return counts
    }

    private func countJobs(_ counts: inout ChaosCounts) async throws {
        let missing = try await query(
            "SELECT a.id::text FROM unnest($1::uuid[]) a(id) LEFT JOIN chaos.job j ON j.id = a.id WHERE j.id IS NULL",
            [producer.acknowledged])
        counts.lost = missing.count
        for row in missing { counts.remarks.append("taken, and not there: \(try row.decode(0, as: String.self))") }
        let ends = try await query(
            """
            SELECT c.id::text || ' (' || c.kind || ')', coalesce(f.outcome, j.state::text, 'nowhere'),
                coalesce(f.errors, j.errors) -> -1 #>> '{error,code}', f.outcome IS NOT NULL
            FROM chaos.job c LEFT JOIN chaos.finish f ON f.job = c.id LEFT JOIN kiln.job j ON j.id = c.id
            WHERE f.outcome IS DISTINCT FROM 'succeeded'
            """)
        for row in ends {
            let job: String = try row.decode(0)
            let (state, code): (String, String?) = (try row.decode(1), try row.decode(2))
            if job.contains(ChaosKind.poison.rawValue), state == "dead", code == "crash_suspect" {
                counts.crashSuspects += 1
            } else {
                counts.lost += 1
                counts.remarks.append("\(job) is \(state), last error \(code ?? "none")")
            }
        }
        counts.completedTwice = try await value(
            "SELECT count(*) FROM (SELECT job FROM chaos.finish GROUP BY job HAVING count(*) > 1) d")
        counts.overwritten = try await value(
            """
            SELECT (SELECT count(*) FROM chaos.overwrite WHERE before IS DISTINCT FROM after)
                + (SELECT count(*) FROM chaos.finish WHERE outcome = 'succeeded'
                    AND (result ->> 'token')::bigint IS DISTINCT FROM newest)
            """)
    }

    private func countLimits(_ counts: inout ChaosCounts) async throws {
        let running = """
            SELECT count(*) FROM (SELECT sum(d) OVER (PARTITION BY key ORDER BY at, d) AS n FROM (
                SELECT CASE WHEN $1 = 'chaos.keyed' THEN key END AS key, began AS at, 1 AS d FROM chaos.claim WHERE queue = $1
                UNION ALL SELECT CASE WHEN $1 = 'chaos.keyed' THEN key END, ended, -1 FROM chaos.claim
                WHERE queue = $1 AND ended IS NOT NULL) e) s WHERE n > $2
            """
        let queues = [
            (ChaosKind.limited, Observatory.concurrency), (.keyed, Observatory.keyConcurrency),
        ]
        for (kind, limit) in queues {
            let moments: Int = try await value(running, [kind.rawValue, limit])
            if moments > 0 { counts.remarks.append("\(kind.rawValue) ran more than \(limit) at \(moments) moments") }
            counts.overshot += moments
        }
        let starts: Int = try await value(
            """
            SELECT count(*) FROM (SELECT claimed_at - lag(claimed_at, \(Observatory.rate)) OVER (ORDER BY claimed_at) AS t
                FROM chaos.claim WHERE queue = 'chaos.rated') w WHERE t < interval '1 second'
            """)
        if starts > 0 { counts.remarks.append("chaos.rated started too often \(starts) times") }
        let twins: Int = try await value(
            """
            SELECT count(*) FROM chaos.job a JOIN chaos.job b ON a.kind = b.kind AND a.unique_key = b.unique_key
                AND a.id <> b.id AND b.created > a.created AND b.created < coalesce(a.gone, 'infinity')
            """)
        if twins > 0 { counts.remarks.append("\(twins) unique jobs had a twin") }
        counts.overshot += starts + twins
    }

    private func countOrder(_ counts: inout ChaosCounts) async throws {
        let early: Int = try await value(
            """
            SELECT count(*) FROM kiln.job_history h CROSS JOIN unnest(h.parents) p(id) JOIN chaos.claim c ON c.job = h.id
                LEFT JOIN chaos.finish f ON f.job = p.id WHERE f.at IS NULL OR c.began < f.at
            """)
        if early > 0 { counts.remarks.append("\(early) children began before a parent had finished") }
        let again: Int = try await value(
            """
            SELECT count(*) FROM chaos.step_run r JOIN kiln.step s USING (job, name)
            WHERE s.status = 'succeeded' AND r.at > s.finished_at
            """)
        if again > 0 { counts.remarks.append("\(again) steps ran again after they had succeeded") }
        counts.outOfOrder = early + again
    }

    private func measure(_ found: Findings, _ counts: inout ChaosCounts) async throws {
        for (claim, at) in found.torn {
            let rows = try await query(
                "SELECT min(began) FROM chaos.claim WHERE job = $1 AND token > $2", [claim.job, claim.token])
            // What had finished all the same needed no recovery.
            guard let next = try rows.first?.decode(0, as: Date?.self) else { continue }
            counts.recoveries.append(next.timeIntervalSince(at))
        }
        for at in found.restored {
            let rows = try await query("SELECT min(at) FROM chaos.finish WHERE at > $1", [at])
            guard let next = try rows.first?.decode(0, as: Date?.self) else { continue }
            counts.recoveries.append(next.timeIntervalSince(at))
        }
    }
}
