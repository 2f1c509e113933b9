import Synchronization
import Transfer

/// A value that is made by asynchronous work, for threads that may wait for it. Thread-safe.
final class Opening<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var value: Value?
        var isCancelled = false
    }

    private let state: SharedState
    private let call: BlockingCall<Value>
    private let cancelValue: @Sendable (Value) -> Void

    /// Starts `open`.
    ///
    /// - Parameter cancel: cancels what was opened.
    init(_ open: @escaping @Sendable () async throws -> Value, cancel: @escaping @Sendable (Value) -> Void) {
        let state = SharedState()
        self.state = state
        cancelValue = cancel
        call = BlockingCall {
            let value = try await open()
            let isCancelled = state.held.withLock { held in
                held.value = value
                return held.isCancelled
            }
            if isCancelled { cancel(value) }
            return value
        }
    }

    /// Waits until it is open.
    func value() throws -> Value { try call.wait() }

    /// Cancels the work or, where it is done, its value.
    func cancel() {
        let value = state.held.withLock { held in
            held.isCancelled = true
            return held.value
        }
        if let value { cancelValue(value) } else { call.cancel() }
    }

    /// Cancels the work where it is not done.
    func cancelUnlessOpen() {
        if state.held.withLock({ $0.value == nil }) { call.cancel() }
    }

    private final class SharedState: Sendable {
        let held = Mutex(State())
    }
}
