import Locking

/// Counts streams that are open, of all and of each caller, and refuses more than may be.
final class StreamCount: Sendable {
    /// A place among the streams, given back when nobody refers to it any more.
    final class Place: Sendable {
        private let count: StreamCount
        private let subject: String

        fileprivate init(_ count: StreamCount, _ subject: String) {
            self.count = count
            self.subject = subject
        }

        deinit { count.give(back: subject) }
    }

    /// What came of the wish for a place.
    enum Outcome {
        case place(Place)
        /// All callers together have too many.
        case full
        /// This caller has.
        case tooMany
    }

    private struct State {
        var open = 0
        var subjects: [String: Int] = [:]
    }

    private let limit: Int
    /// Of one caller.
    private let share: Int
    private let state = Locked(State())

    init(limit: Int) {
        self.limit = limit
        share = max(16, limit / 8)
    }

    /// - Parameter subject: whom it is counted for.
    func take(_ subject: String) -> Outcome {
        let refusal: Outcome? = state.withLock { state in
            guard state.open < limit else { return .full }
            guard state.subjects[subject, default: 0] < share else { return .tooMany }
            state.open += 1
            state.subjects[subject, default: 0] += 1
            return nil
        }
        return refusal ?? .place(Place(self, subject))
    }

    private func give(back subject: String) {
        state.withLock { state in
            state.open -= 1
            let left = state.subjects[subject, default: 0] - 1
            state.subjects[subject] = left > 0 ? left : nil
        }
    }
}
