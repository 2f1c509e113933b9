import Foundation
import Locking
import PostgresTestSupport
import Testing

@testable import JobQueue

/// What a session decides, with jobs that it really has claimed and nobody who acts on the decisions.
@Suite(.timeLimit(.minutes(4)))
struct WorkerStateTests {
    @Test func `a cancel that overtakes the answer to its job's claim is not lost`() async throws {
        try await WorkerBench.with { bench in
            let session = try await bench.session()
            let id = try await bench.enqueue()
            let claim = try #require(Self.claim(session.state.withLock { $0.next(at: .zero) }))
            let jobs = try await bench.claimed(by: session)
            session.cancel(id, reason: "changed my mind")
            let effects = session.state.withLock {
                $0.arrived(jobs, of: claim, make: session.make, at: .milliseconds(1))
            }
            #expect(effects.start.isEmpty)
            let written = Self.flush(session.state.withLock { $0.next(at: .seconds(1)) })
            guard case .cancelled(let reason, _)? = written.first?.write else {
                Issue.record("not cancelled: \(written)")
                return
            }
            #expect(reason == "changed my mind" && written.count == 1)
            try await bench.leave(session)
        }
    }

    @Test func `a cancelled job that waited for room leaves it to those behind it`() async throws {
        try await WorkerBench.with { bench in
            let session = try await bench.session { $0.slots = 2 }
            let large = try await bench.enqueue("test", "{}", "cores => 2, priority => 1")
            _ = try await bench.enqueue("test", "{}", "priority => 2")
            _ = try await bench.enqueue("test", "{}")
            let claim = try #require(Self.claim(session.state.withLock { $0.next(at: .zero) }))
            let jobs = try await bench.claimed(by: session)
            #expect(jobs.count == 3 && jobs[1].id == large)
            let begun = session.state.withLock { $0.arrived(jobs, of: claim, make: session.make, at: .zero) }
            #expect(begun.start.map(\.context.id) == [jobs[0].id])
            let effects = session.state.withLock {
                $0.cancel(large, reason: "no", make: session.make, at: .milliseconds(1))
            }
            #expect(effects.start.map(\.context.id) == [jobs[2].id])
            try await bench.leave(session)
        }
    }

    @Test func `results do not wait for a claim that is under way where jobs are short, and wait where they are not`()
        async throws
    {
        try await WorkerBench.with { bench in
            let session = try await bench.session { $0.slots = 1 }
            _ = try await bench.enqueue()
            session.state.withLock {
                $0.ahead.ended(after: 0)
                $0.ahead.claimed(1, of: 1)
            }
            _ = try #require(Self.claim(session.state.withLock { $0.next(at: .zero) }))
            let job = try #require(try await bench.claimed(by: session).first)
            let step = session.state.withLock { state in
                state.batch.add(FinishedAttempt(job: job, write: .complete(nil), seconds: 0), at: .zero)
                return state.next(at: .seconds(1))
            }
            #expect(Self.flush(step).count == 1 && Self.claim(step) == nil)
            session.state.withLock {
                _ = $0.flushed(Self.flush(step), rejected: [], stuck: [], at: .seconds(1))
                $0.ahead.ended(after: 100)
                $0.batch.add(FinishedAttempt(job: job, write: .complete(nil), seconds: 0), at: .seconds(1))
            }
            #expect(Self.flush(session.state.withLock { $0.next(at: .seconds(2)) }).isEmpty)
            try await bench.leave(session)
        }
    }

    @Test func `jobs claimed in advance that did not start are handed back`() async throws {
        try await WorkerBench.with { bench in
            let session = try await bench.session { $0.slots = 1 }
            for _ in 0..<3 { _ = try await bench.enqueue() }
            let claim = try #require(Self.claim(session.state.withLock { $0.next(at: .zero) }))
            let jobs = try await bench.claimed(by: session)
            let begun = session.state.withLock { $0.arrived(jobs, of: claim, make: session.make, at: .zero) }
            #expect(begun.start.count == 1)
            let soon = session.state.withLock { $0.releaseExtras(make: session.make, at: .milliseconds(499)) }
            let later = session.state.withLock { $0.releaseExtras(make: session.make, at: .milliseconds(500)) }
            #expect(soon.start.isEmpty && later.start.isEmpty)
            let released = Self.flush(session.state.withLock { $0.next(at: .seconds(1)) })
            #expect(Set(released.map(\.job.id)) == Set(jobs.dropFirst().map(\.id)))
            for item in released {
                guard case .release = item.write else {
                    Issue.record("not released: \(item)")
                    continue
                }
            }
            // They are known until that is written.
            #expect(session.state.withLock { state in jobs.allSatisfy { state.knows($0.id, token: $0.token) } })
            _ = session.state.withLock { $0.flushed(released, rejected: [], stuck: [], at: .seconds(1)) }
            #expect(
                session.state.withLock { state in jobs.map { state.knows($0.id, token: $0.token) } }
                    == [true, false, false])
            try await bench.leave(session)
        }
    }

    @Test func `one round takes back the jobs of all workers that have died`() async throws {
        try await WorkerBench.with { bench in
            for _ in 0..<5 {
                let ghost = try await bench.session()
                _ = try await bench.enqueue()
                #expect(try await bench.claimed(by: ghost, most: 1).count == 1)
                await ghost.pool.close()
            }
            try await bench.run("UPDATE kiln.worker SET expires_at = now() - interval '1 second'")
            let setup = bench.setup()
            let pool = PostgresPool(try PostgresSettings(bench.database.url), logger: quiet)
            try await Housekeeper(setup, pool: pool) { nil }.maintainOften()
            await pool.close()
            #expect(try await bench.connection.value("SELECT bool_and(state = 'ready') AND count(*) = 5 FROM kiln.job"))
        }
    }

    private static func claim(_ step: WorkerState.Step) -> WorkerState.Claim? {
        if case .trip(_, let claim) = step { claim } else { nil }
    }

    private static func flush(_ step: WorkerState.Step) -> [FinishedAttempt] {
        if case .trip(let flush, _) = step { flush } else { [] }
    }
}

extension WorkerBench {
    fileprivate func setup(_ change: (inout WorkerOptions) -> Void = { _ in }) -> WorkerSetup {
        let kind = RegisteredKind(name: "test", options: KindOptions()) { _ in nil }
        return WorkerSetup(
            schema: "kiln", options: Self.options(change), queues: ["test"], kinds: ["test": kind], limits: [:],
            middlewares: [], logger: quiet, events: WorkerEvents())
    }

    /// A session that is registered, and whose driver does not run.
    fileprivate func session(_ change: (inout WorkerOptions) -> Void = { _ in }) async throws -> WorkerSession {
        let pool = PostgresPool(try PostgresSettings(database.url), logger: quiet)
        let session = try WorkerSession(setup(change), pool: pool)
        let kinds = JSONText.array([KindOptions().description(of: "test")])
        _ = try await connection.query(session.statements.register(session.options, queues: ["test"], kinds: kinds))
        return session
    }

    fileprivate func claimed(by session: WorkerSession, most: Int = 10) async throws -> [JobQueue.ClaimedJob] {
        let room = JobWeight(cores: 100, memory: 0)
        return try await connection.query(
            session.statements.claim(
                queues: ["test"], allowance: [most], most: most, free: room, total: room, isIdle: false)
        ).map { try JobQueue.ClaimedJob($0) }
    }

    fileprivate func leave(_ session: WorkerSession) async throws {
        _ = try await connection.query(session.statements.leave)
        await session.pool.close()
    }
}
