import Locking

/// Counts streams that are open, and refuses more than may be.
final class StreamCount: Sendable {
    /// A place among the streams, given back when nobody refers to it any more.
    final class Place: Sendable {
        private let count: StreamCount
        fileprivate init(_ count: StreamCount) { self.count = count }
        deinit { count.open.withLock { $0 -= 1 } }
    }

    private let limit: Int
    private let open = Locked(0)

    init(limit: Int) { self.limit = limit }

    /// nil if there are too many.
    func take() -> Place? {
        let isFree = open.withLock { open in
            guard open < limit else { return false }
            open += 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}
