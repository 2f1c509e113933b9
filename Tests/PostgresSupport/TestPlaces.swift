import Locking

/// How many tests have databases of their own at a time; the others wait.
///
/// Hundreds of tests that all begin at once would share two cores, each past its time limits, and hold more
/// connections than a process has descriptors.
final class TestPlaces: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Locked<State>

    init(_ count: Int) { state = Locked(State(free: count)) }

    /// Waits for a place, first come, first served.
    func take() async -> TestPlace {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
        return TestPlace(self)
    }

    fileprivate func giveBack() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}

/// A place that is given back when nobody refers to it any more.
package final class TestPlace: Sendable {
    private let places: TestPlaces

    fileprivate init(_ places: TestPlaces) { self.places = places }

    deinit { places.giveBack() }
}
