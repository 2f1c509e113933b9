import Foundation
import JobQueue
import Locking

/// Enqueues jobs of all kinds at a rate, and remembers which ones the database has taken.
final class Producer: Sendable {
    private struct State {
        var acknowledged: [UUID] = []
        var failures = 0
        var task: Task<Void, Never>?
    }

    let client: QueueClient
    /// Jobs per second.
    private let rate: Double
    private let state = Locked(State())

    init(_ url: String, rate: Double) throws {
        client = try QueueClient(
            url, options: .init(connections: 2, acquireTimeout: .seconds(1), statementTimeout: .seconds(5)),
            logger: quiet)
        self.rate = rate
    }

    /// Ids that an enqueue has returned: these jobs must all be done.
    var acknowledged: [UUID] { state.withLock { $0.acknowledged } }
    /// Calls that failed: their jobs may be there or not.
    var failures: Int { state.withLock { $0.failures } }

    /// Begins to enqueue.
    func start() {
        let pause = Duration.seconds(Double(Self.mix(0).count + 4) / rate)
        let task = Task {
            var turn = 0
            while !Task.isCancelled {
                await enqueueTurn(turn)
                turn += 1
                try? await Task.sleep(for: pause)
            }
        }
        state.withLock { $0.task = task }
    }

    func stop() async {
        let task = state.withLock { state in
            defer { state.task = nil }
            return state.task
        }
        guard let task else { return }
        task.cancel()
        await task.value
    }

    /// Enqueues jobs of one kind, trying again while the server is away.
    @discardableResult
    func enqueue(
        _ kind: ChaosKind, count: Int = 1, milliseconds: Int = 0, priority: Int = 0
    ) async throws -> [UUID] {
        let job = NewJob(
            kind.rawValue, Work(milliseconds: milliseconds), EnqueueOptions(priority: priority))
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                let ids = try await client.enqueueMany(Array(repeating: job, count: count))
                acknowledge(ids)
                return ids
            } catch let error as QueueError where error.isTransient && ContinuousClock.now < deadline {
                // If the connection broke in the middle they may be there twice: more that is to be done.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    func acknowledge(_ ids: [UUID]) { state.withLock { $0.acknowledged += ids } }

    private func enqueueTurn(_ turn: Int) async {
        await attempt { try await self.client.enqueueMany(Self.mix(turn)) }
        await attempt {
            let flow = WorkflowRequest(
                "diamond",
                jobs: [
                    "top": WorkflowJob(ChaosKind.node.rawValue, Work(milliseconds: 20)),
                    "left": WorkflowJob(ChaosKind.node.rawValue, Work(milliseconds: 40), after: ["top"]),
                    "right": WorkflowJob(ChaosKind.node.rawValue, Work(milliseconds: 10), after: ["top"]),
                    "bottom": WorkflowJob(ChaosKind.node.rawValue, Work(), after: ["left", "right"]),
                ])
            return Array(try await self.client.enqueueWorkflow(flow).jobs.values)
        }
    }

    private func attempt(_ enqueue: @Sendable @escaping () async throws -> [UUID]) async {
        // In a task of its own: what is under way when the producer stops is still to be acknowledged.
        let ids = try? await Task { try await enqueue() }.value
        if let ids { acknowledge(ids) } else { state.withLock { $0.failures += 1 } }
    }

    /// The jobs of one turn without workflows.
    private static func mix(_ turn: Int) -> [NewJob] {
        func job(_ kind: ChaosKind, _ milliseconds: Int, _ options: EnqueueOptions = EnqueueOptions()) -> NewJob {
            NewJob(kind.rawValue, Work(milliseconds: milliseconds), options)
        }
        func key(_ number: Int) -> EnqueueOptions { EnqueueOptions(concurrencyKey: "tenant \(number % 4)") }
        return Array(repeating: job(.noop, 0), count: 6) + [
            job(.write, 20), job(.write, 60), job(.write, 150, EnqueueOptions(priority: 5)),
            job(.write, 30, EnqueueOptions(runAt: Date(timeIntervalSinceNow: 0.7))),
            job(.spin, 30), job(.deaf, 400), job(.steps, 20),
            job(.limited, 60), job(.limited, 60), job(.keyed, 30, key(turn)), job(.keyed, 30, key(turn * 3 + 1)),
            job(.rated, 0),
            job(.unique, 20, EnqueueOptions(unique: Unique("key \(turn % 3)", scope: .unfinished))),
        ]
    }
}
