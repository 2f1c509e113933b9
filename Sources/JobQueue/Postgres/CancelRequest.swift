import CPostgres
import Foundation
import Synchronization

/// A request to the server to give up what a connection is doing.
///
/// It goes over a socket of its own, which may hang as long as the network likes; so it has a thread of its own,
/// and whoever asked looks at `isDone`.
///
/// `@unchecked Sendable`: the PGcancel is touched by that thread alone, which frees it.
final class CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let finished = Atomic<Bool>(false)

    /// - Returns: nil if the connection is not open.
    init?(connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    /// Whether the server has taken the request, or it has failed.
    var isDone: Bool { finished.load(ordering: .acquiring) }

    /// Sends the request, and raises `wake` when that is done.
    func send(raising wake: WakeSignal) {
        let thread = Thread { [self] in
            var message = [CChar](repeating: 0, count: 256)
            _ = PQcancel(pointer, &message, Int32(message.count))
            PQfreeCancel(pointer)
            finished.store(true, ordering: .releasing)
            wake.raise()
        }
        thread.name = "kiln.pg.cancel"
        thread.stackSize = 256 << 10
        thread.start()
    }
}
