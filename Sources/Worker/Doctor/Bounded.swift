import Dispatch
import Synchronization

/// Work that is given up when its time is up.
enum Bounded {
    struct TimeIsUp: Error {}

    /// Waits for `body` for so long, then cancels it, and waits a little more for it to tidy up.
    ///
    /// Its tasks are not structured: a call that the kernel does not return from, of a network's file system, would
    /// hold a group of tasks for ever. They end with the process at the latest.
    ///
    /// - Parameter grace: how long it may take to end once it was cancelled.
    /// - Throws: `TimeIsUp`, what `body` throws.
    static func run<Value: Sendable>(
        _ limit: Duration, grace: Duration = .seconds(5), _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let first = First<Value>()
        let isOver = Flag()
        let work = Task {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            first.settle(isOver.state.withLock { $0 } ? .failure(TimeIsUp()) : result)
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            isOver.state.withLock { $0 = true }
            work.cancel()
            try await Task.sleep(for: grace)
            first.settle(.failure(TimeIsUp()))
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await first.value()
        } onCancel: {
            work.cancel()
        }
    }

    /// Runs `body`, which blocks, on a thread that is not of Swift's pool. A cancel does not end it.
    static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { waiter in
            // A queue of its own: one that is stuck keeps nobody else waiting.
            DispatchQueue(label: "kiln.doctor").async { waiter.resume(with: Result { try body() }) }
        }
    }

    private final class Flag: Sendable {
        let state = Mutex(false)
    }

    /// The first of several results; one task waits for it.
    private final class First<Value: Sendable>: Sendable {
        private struct State {
            var result: Result<Value, any Error>?
            var waiter: CheckedContinuation<Value, any Error>?
        }
        private let state = Mutex(State())

        /// - Returns: whether it was the first.
        @discardableResult
        func settle(_ result: Result<Value, any Error>) -> Bool {
            let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
                guard state.result == nil else { return (false, nil) }
                state.result = result
                defer { state.waiter = nil }
                return (true, state.waiter)
            }
            waiter?.resume(with: result)
            return isFirst
        }

        func value() async throws -> Value {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Value, any Error>? in
                    if state.result == nil { state.waiter = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }
}
