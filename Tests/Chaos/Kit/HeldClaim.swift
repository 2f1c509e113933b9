import Foundation
import JobQueue
import Locking

/// A claim of a worker that is about to lose it.
struct HeldClaim: Sendable {
    var worker: UUID
    var job: UUID
    var token: Int64
}

extension ChaosBench {
    /// What the process holds now.
    func held(by pid: pid_t) async throws -> [HeldClaim] {
        try await query(
            """
            SELECT w.id, j.id, j.lease_token FROM kiln.job j JOIN kiln.worker w ON w.id = j.worker
            WHERE w.pid = $1 AND j.state = 'running'
            """, [Int(pid)]
        ).map { HeldClaim(worker: try $0.decode(0), job: try $0.decode(1), token: try $0.decode(2)) }
    }

    /// Writes everything that a worker can write about a job, as it would if it came back after its lease: all of it
    /// must be refused.
    func writeAsZombie(_ claim: HeldClaim) async throws {
        let forged = #"{"token": -1}"#
        let writes: [(String, String, [(any PostgresEncodable)?])] = [
            (
                "complete",
                "SELECT accepted FROM kiln.worker_complete($1, ARRAY[$2::uuid], ARRAY[$3::bigint], ARRAY[$4::jsonb])",
                [forged]
            ),
            (
                "fail", "SELECT accepted FROM kiln.worker_fail($1, $2, $3, $4, p_permanent => true)",
                [#"{"code": "zombie", "message": "late"}"#]
            ),
            ("snooze", "SELECT kiln.worker_snooze($1, $2, $3, clock_timestamp() + interval '1 hour')", []),
            ("release", "SELECT accepted FROM kiln.worker_release($1, ARRAY[$2::uuid], ARRAY[$3::bigint])", []),
            ("cancel", "SELECT kiln.worker_cancelled($1, $2, $3)", []),
            ("weigh", "SELECT kiln.worker_weigh($1, $2, $3, 1, 0)", []),
            ("start", "SELECT count(*) > 0 FROM kiln.worker_start($1, ARRAY[$2::uuid], ARRAY[$3::bigint])", []),
            ("step", "SELECT accepted FROM kiln.worker_step_begin($1, $2, $3, 'one')", []),
            ("step's end", "SELECT kiln.worker_step_finish($1, $2, $3, 'one', $4, NULL, NULL, NULL)", [forged]),
            (
                "progress",
                """
                SELECT count(*) > 0 FROM kiln.worker_progress($1, jsonb_build_array(jsonb_build_object(
                    'id', $2::uuid, 'token', $3::bigint, 'fraction', 0.5, 'checkpoint', 'zombie')))
                """, []
            ),
        ]
        for (name, sql, more) in writes {
            let isAccepted: Bool
            do {
                let rows = try await query(sql, [claim.worker, claim.job, claim.token] + more)
                isAccepted = try rows.first?.decode(0) ?? false
            } catch let error as QueueError where error.code == .leaseLost {
                isAccepted = false
            }
            found.withLock { found in
                if isAccepted {
                    found.zombieWritesAccepted.append("\(name) of job \(claim.job)")
                } else {
                    found.zombieWritesRefused += 1
                }
            }
        }
    }
}
