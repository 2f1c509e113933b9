import Foundation
import PostgresTestSupport
import Testing

@testable import ChaosKit

/// The counts of experiments are worth as much as their eyes are good.
struct CountingTests {
    @Test func `a job that vanishes is counted as lost`() async throws {
        let counts = try await forging(
            """
            SELECT kiln.enqueue('chaos.noop'), kiln.enqueue('chaos.noop');
            DELETE FROM kiln.job WHERE id = (SELECT id FROM kiln.job LIMIT 1);
            """)
        // The other one is not done either.
        #expect(counts.lost == 2)
    }

    @Test func `a second end of a job and a changed result are counted`() async throws {
        let counts = try await forging(
            """
            \(Self.done)
            INSERT INTO kiln.job_history SELECT * FROM kiln.job_history;
            UPDATE kiln.job_history SET result = '{"token": 8}' WHERE result IS NOT NULL;
            """)
        #expect(counts.completedTwice == 1)
        #expect(counts.overwritten == 2)
    }

    @Test func `a result of a claim before the last is counted as overwritten`() async throws {
        let counts = try await forging(
            """
            INSERT INTO chaos.claim SELECT n, '\(Self.job)', gen_random_uuid(), 'q', NULL, now(), now(), now()
                FROM generate_series(7, 8) n;
            \(Self.done)
            """)
        #expect(counts.overwritten == 1)
    }

    @Test func `limits that are exceeded are counted`() async throws {
        let counts = try await forging(
            """
            INSERT INTO chaos.claim SELECT n, gen_random_uuid(), gen_random_uuid(), 'chaos.limited', NULL, now(),
                now() + n * interval '1 ms', NULL FROM generate_series(1, 4) n;
            INSERT INTO chaos.claim SELECT 10 + n, gen_random_uuid(), gen_random_uuid(), 'chaos.keyed', 'k' || n / 2, now(),
                now() + n * interval '1 ms', now() + interval '1 s' FROM generate_series(0, 3) n;
            INSERT INTO chaos.claim SELECT 20 + n, gen_random_uuid(), gen_random_uuid(), 'chaos.rated', NULL,
                now() + n * interval '40 ms', now(), now() FROM generate_series(0, 20) n;
            """)
        // One of four, the second of both keys, and the 21st start within 0.8 s.
        #expect(counts.overshot == 1 + 2 + 1)
    }

    @Test func `a step that runs again after it succeeded is counted`() async throws {
        let counts = try await forging(
            """
            INSERT INTO kiln.step (job, name, seq, status, attempt, started_at, finished_at)
                VALUES ('\(Self.job)', 'one', 1, 'succeeded', 1, now(), now());
            INSERT INTO chaos.step_run VALUES ('\(Self.job)', 'one', 1, now() - interval '1 s'),
                ('\(Self.job)', 'one', 2, now() + interval '1 s');
            """)
        #expect(counts.outOfOrder == 1)
    }

    private static let job = "01a1fdf5-a4d3-7cb8-8491-0dfceb708c1f"
    /// A job that is done under the token 7.
    private static let done = """
        INSERT INTO chaos.claim VALUES (7, '\(job)', gen_random_uuid(), 'q', NULL, now(), now(), now())
            ON CONFLICT DO NOTHING;
        INSERT INTO kiln.job_history (id, outcome, finished_at, kind, queue, priority, run_at, payload, result, attempt,
            max_attempts, cores, memory, crashes, created_at, created_by, changed_by)
        VALUES ('\(job)', 'succeeded', now(), 'chaos.noop', 'q', 0, now(), '{}', '{"token": 7}', 1, 1, 1, 0, 0, now(), 'x', 'x');
        """

    /// What is counted in a database without workers after this.
    private func forging(_ script: String) async throws -> ChaosCounts {
        var setup = ChaosBench.Setup(executable: URL(filePath: "/nowhere"), lease: .seconds(3))
        setup.workers = 0
        return try await ChaosBench.with(setup) { bench in
            _ = try await bench.database.psql(script)
            return try await bench.count()
        }
    }
}
