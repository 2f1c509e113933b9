import Dispatch
import Foundation

/// Wakes the one task that waits for it. A raise while nobody waits is kept for the next wait.
final class AsyncSignal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, Never>?
        var generation = 0
    }

    private static let timers = DispatchQueue(label: "kiln.signal", qos: .userInitiated)
    private let state = Locked(State())

    func raise() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isRaised = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when it is raised, or was since the last wait, or after `limit`; nil is no limit.
    ///
    /// Cancelling the task does not end the wait.
    func wait(for limit: Duration?) async {
        if let limit, limit <= .zero { return }
        await withCheckedContinuation { continuation in
            let generation = state.withLock { state -> Int? in
                if state.isRaised {
                    state.isRaised = false
                    return nil
                }
                state.waiter = continuation
                state.generation += 1
                return state.generation
            }
            guard let generation else {
                continuation.resume()
                return
            }
            guard let limit else { return }
            Self.timers.asyncAfter(deadline: .now() + min(limit / .seconds(1), 86_400)) { [self] in
                let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                    guard state.generation == generation else { return nil }
                    defer { state.waiter = nil }
                    return state.waiter
                }
                waiter?.resume()
            }
        }
    }
}
