import Foundation

/// Runs what blocks on a thread of its own: sources and sinks must not wait on Swift's pool.
package enum BlockingThread {
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { waiter in
            Thread { waiter.resume(with: Result { try body() }) }.start()
        }
    }
}
