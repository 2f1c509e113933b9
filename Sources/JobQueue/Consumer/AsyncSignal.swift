import Dispatch
import Foundation
import Locking

/// Wakes all tasks that wait for it. A raise while nobody waits is kept for the next wait.
final class AsyncSignal: Sendable {
    private struct State {
        var isRaised = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var count = 0
    }

    private static let timers = DispatchQueue(label: "kiln.signal", qos: .userInitiated)
    private let state = Locked(State())

    func raise() {
        let waiters = state.withLock { state in
            if state.waiters.isEmpty { state.isRaised = true }
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when it is raised, or was since the last wait, or after `limit`; nil is no limit.
    ///
    /// Cancelling the task does not end the wait.
    func wait(for limit: Duration?) async {
        if let limit, limit <= .zero { return }
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> Int? in
                if state.isRaised {
                    state.isRaised = false
                    return nil
                }
                state.count += 1
                state.waiters[state.count] = continuation
                return state.count
            }
            guard let number else {
                continuation.resume()
                return
            }
            guard let limit else { return }
            Self.timers.asyncAfter(deadline: .now() + min(limit / .seconds(1), 86_400)) { [self] in
                state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
            }
        }
    }
}
