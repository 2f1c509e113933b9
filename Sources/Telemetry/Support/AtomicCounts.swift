import Synchronization

/// A row of counters that threads count up together without a lock.
///
/// `@unchecked Sendable`: the pointer is set once, and what it points to is atomic.
final class AtomicCounts: @unchecked Sendable {
    let count: Int
    private let counters: UnsafeMutablePointer<Atomic<Int>>

    /// All are 0.
    init(count: Int) {
        self.count = count
        counters = .allocate(capacity: count)
        for index in 0..<count { (counters + index).initialize(to: Atomic(0)) }
    }

    deinit {
        counters.deinitialize(count: count)
        counters.deallocate()
    }

    func increment(_ index: Int) {
        precondition((0..<count).contains(index))
        counters[index].wrappingAdd(1, ordering: .relaxed)
    }

    var values: [Int] { (0..<count).map { counters[$0].load(ordering: .relaxed) } }
}
