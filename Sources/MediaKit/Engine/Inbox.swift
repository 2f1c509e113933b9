import Glibc

/// The bounded queue in front of a stage, with one pad per stream that feeds it.
///
/// A sender waits while its pad is full. There is one exception, without which several pads would deadlock: while
/// the stage waits for a pad that is empty, the others may go beyond their share, since whoever must fill the empty
/// pad may be stuck behind them (a badly interleaved file). What all pads hold together is bounded all the same; at
/// that bound the stage is told that it is `pressed`.
///
// Safe to send: all state is guarded by `lock`.
final class Inbox<Item: Sendable>: @unchecked Sendable {
    enum Event {
        case item(Item)
        /// The pad's sender is done and all that it sent was received.
        case finished
        /// The pad asked for is empty while the others hold all that may be held.
        case pressed
        /// The inbox was closed: the job has failed or the stage is no longer needed.
        case closed
    }

    private struct Pad {
        var items: [(item: Item, bytes: Int)] = []
        var first = 0
        var bytes = 0
        var isFinished = false
        var count: Int { items.count - first }

        mutating func take() -> Item? {
            guard first < items.count else { return nil }
            let (item, size) = items[first]
            bytes -= size
            first += 1
            // Amortised: what was taken is dropped once it is half of the array.
            if first * 2 >= items.count {
                items.removeFirst(first)
                first = 0
            }
            return item
        }
    }

    /// What all pads together may hold in items while another pad is awaited: nearly empty packets take their memory
    /// in libav's structures around them, about half a kilobyte each.
    private static var totalItemLimit: Int { 400_000 }

    private let itemLimit: Int
    private let byteLimit: Int
    private let totalByteLimit: Int
    private var pads: [Pad]
    private var totalBytes = 0
    private var totalItems = 0
    private var awaited: Int?
    private var isClosed = false
    private let lock = ConditionLock()

    /// - Parameters:
    ///   - items, bytes: what one pad may hold before its sender waits.
    ///   - totalBytes: what all pads together may hold while another pad is awaited.
    init(pads: Int, items: Int, bytes: Int, totalBytes: Int) {
        self.pads = Array(repeating: Pad(), count: pads)
        itemLimit = items
        byteLimit = bytes
        totalByteLimit = totalBytes
    }

    /// Hands an item over, waiting for room.
    ///
    /// - Returns: false if nobody will receive it.
    func send(_ item: Item, bytes: Int, pad: Int) -> Bool {
        lock.withLock {
            while !isClosed, !hasRoom(pad) { lock.wait() }
            guard !isClosed, !pads[pad].isFinished else { return false }
            pads[pad].items.append((item, bytes))
            pads[pad].bytes += bytes
            totalBytes += bytes
            totalItems += 1
            lock.signalAll()
            return true
        }
    }

    /// Says that nothing more will be sent to `pad`.
    func finish(pad: Int) {
        lock.withLock {
            pads[pad].isFinished = true
            lock.signalAll()
        }
    }

    /// Takes the next item of `pad`, waiting for it.
    func receive(pad: Int) -> Event {
        lock.withLock {
            awaited = pad
            defer { awaited = nil }
            // Senders to the other pads may go on now.
            if pads.count > 1, pads[pad].count == 0 { lock.signalAll() }
            while true {
                if isClosed { return .closed }
                if let item = take(pad) { return .item(item) }
                if pads[pad].isFinished { return .finished }
                if isFull { return .pressed }
                lock.wait()
            }
        }
    }

    /// Takes what `pad` holds, if anything, without waiting.
    func poll(pad: Int) -> Event? {
        lock.withLock {
            if isClosed { return .closed }
            if let item = take(pad) { return .item(item) }
            return pads[pad].isFinished ? .finished : nil
        }
    }

    /// Wakes everyone: senders get false, receivers `closed`. What is held is released.
    func close() {
        lock.withLock {
            isClosed = true
            for index in pads.indices { pads[index].items = [] }
            for index in pads.indices { pads[index].first = 0 }
            lock.signalAll()
        }
    }

    private func hasRoom(_ pad: Int) -> Bool {
        let own = pads[pad]
        if own.count == 0 { return true }
        if own.count < itemLimit, own.bytes < byteLimit { return true }
        return awaited != nil && awaited != pad && !isFull
    }

    private var isFull: Bool { totalBytes >= totalByteLimit || totalItems >= Self.totalItemLimit }

    private func take(_ pad: Int) -> Item? {
        let before = pads[pad].bytes
        guard let item = pads[pad].take() else { return nil }
        totalBytes -= before - pads[pad].bytes
        totalItems -= 1
        lock.signalAll()
        return item
    }
}
