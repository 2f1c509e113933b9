import Locking
import TransferTestSupport

/// A store that resets every connection for a while, from the second part of an upload on.
final class StoreOutage: Sendable {
    private struct State {
        var end: ContinuousClock.Instant?
        var refused = 0
    }
    private let state = Locked(State())
    private let length: Duration

    init(of length: Duration) { self.length = length }

    /// Requests that came meanwhile.
    var refused: Int { state.withLock { $0.refused } }

    func fault(_ request: S3Request) -> S3Fault? {
        state.withLock { state in
            let now = ContinuousClock.now
            if state.end == nil, request.operation == .uploadPart, request.index == 1 { state.end = now + length }
            guard let end = state.end, now < end else { return nil }
            state.refused += 1
            return .reset
        }
    }
}
