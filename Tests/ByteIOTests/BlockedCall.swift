import Foundation
import Synchronization
import Testing

/// Runs something that waits on a thread of its own, so that a test can wake it.
final class BlockedCall<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let kernelThread = Mutex("")
    private let started = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () throws -> Value) {
        let thread = Thread { [self] in
            let id = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
            kernelThread.withLock { $0 = id }
            started.signal()
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            ended.signal()
        }
        thread.start()
        started.wait()
    }

    /// Returns once the system says that the thread sleeps in a call, or after ten seconds with an issue.
    func waitUntilBlocked() {
        let id = kernelThread.withLock { $0 }
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            // proc(5): pid (name) state …
            let status = FileManager.default.contents(atPath: "/proc/\(id)/stat").map {
                String(decoding: $0, as: UTF8.self)
            }
            if status?.split(separator: ")").last?.hasPrefix(" S") == true { return }
            sched_yield()
        }
        Issue.record("the call does not wait")
    }

    /// The result of the call, which must come within ten seconds.
    func value() throws -> Value {
        guard ended.wait(timeout: .now() + 10) == .success, let outcome = outcome.withLock({ $0 }) else {
            throw StillBlocked()
        }
        return try outcome.get()
    }

    struct StillBlocked: Error {}
}
