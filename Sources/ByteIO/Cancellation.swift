import Synchronization

/// Whether a source or sink was cancelled: set from any thread, looked at before each call that may take long.
struct Cancellation: ~Copyable, Sendable {
    private let isSet = Atomic<Bool>(false)

    var isCancelled: Bool { isSet.load(ordering: .relaxed) }

    func cancel() { isSet.store(true, ordering: .relaxed) }

    /// - Throws: ``ByteIOError`` with code `cancelled`, once it is.
    func check(_ name: String) throws {
        if isCancelled { throw ByteIOError(.cancelled, "\(name) was cancelled") }
    }
}
