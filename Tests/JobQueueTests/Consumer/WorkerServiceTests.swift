import Foundation
import Logging
import PostgresTestSupport
import ServiceLifecycle
import Testing

@testable import JobQueue

/// A worker among the services of an app, as `ServiceGroup` starts and stops them.
@Suite(.timeLimit(.minutes(6)))
struct WorkerServiceTests {
    @Test func `the group's graceful shutdown lets a running job end`() async throws {
        try await WorkerBench.with { bench in
            let (begun, goOn) = (Gate(), Gate())
            let worker = try bench.worker()
            worker.register("test") { (_: Job<Nothing>) in
                begun.open()
                await goOn.pass()
                return "done"
            }
            let (group, task) = bench.group(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            await group.triggerGracefulShutdown()
            try await bench.wait(sql: "SELECT EXISTS (SELECT FROM kiln.worker WHERE state = 'draining')")
            #expect(try await bench.text("SELECT state::text FROM kiln.job WHERE id = $1", [id]) == "running")
            goOn.open()
            try await task.value
            #expect(
                try await bench.text("SELECT result::text FROM kiln.job_history WHERE id = $1", [id]) == #""done""#)
            #expect(try await bench.text("SELECT state FROM kiln.worker") == "gone")
        }
    }

    @Test func `a job that outlasts the grace of the group's shutdown is handed back at no cost`() async throws {
        try await WorkerBench.with { bench in
            let (begun, never) = (Gate(), Gate())
            let worker = try bench.worker { $0.grace = .milliseconds(50) }
            worker.register("test") { (_: Job<Nothing>) in
                begun.open()
                await never.pass()
                try Task.checkCancellation()
            }
            let (group, task) = bench.group(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            await group.triggerGracefulShutdown()
            try await task.value
            #expect(
                try await bench.connection.value(
                    "SELECT state = 'ready' AND attempt = 0 AND errors IS NULL FROM kiln.job WHERE id = $1", [id]))
            #expect(try await bench.text("SELECT state FROM kiln.worker") == "gone")
        }
    }

    @Test func `a group that is cancelled has its worker hand jobs back`() async throws {
        try await WorkerBench.with { bench in
            let (begun, never) = (Gate(), Gate())
            let worker = try bench.worker()
            worker.register("test") { (_: Job<Nothing>) in
                begun.open()
                await never.pass()
                try Task.checkCancellation()
            }
            let (_, task) = bench.group(worker)
            let id = try await bench.enqueue()
            await begun.pass()
            task.cancel()
            // What the group makes of a service that ends when it is cancelled is the group's affair.
            try? await task.value
            #expect(
                try await bench.connection.value(
                    "SELECT state = 'ready' AND attempt = 0 AND errors IS NULL FROM kiln.job WHERE id = $1", [id]))
        }
    }
}

extension WorkerBench {
    /// Runs the worker in a service group of its own.
    fileprivate func group(_ worker: QueueWorker) -> (ServiceGroup, Task<Void, any Error>) {
        let service = ServiceGroupConfiguration.ServiceConfiguration(
            service: worker, successTerminationBehavior: .gracefullyShutdownGroup)
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [service], logger: quiet))
        return (group, Task { try await group.run() })
    }
}
