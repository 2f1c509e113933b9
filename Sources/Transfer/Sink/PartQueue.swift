/// The parts of an upload between the thread that writes them and the task that sends them. A pure state machine.
///
/// A part counts as on its way from `offer` until `finished`: that bounds the memory, and makes the writer wait.
struct PartQueue {
    struct Part: Equatable, Sendable {
        /// From 1.
        var number: Int
        var bytes: [UInt8]
    }

    /// What the writer is told.
    enum Offer: Equatable { case taken, full }
    /// What the sender is told.
    enum Next: Equatable {
        case part(Part)
        /// Nothing now.
        case none
        /// Nothing any more.
        case end
    }

    /// The most parts on their way at a time.
    let limit: Int
    private var waiting: [Part] = []
    private(set) var onTheirWay = 0
    private(set) var sent: [UploadedPart] = []
    private var isClosed = false
    /// Why nothing more is sent; the first reason stays.
    private(set) var failure: (any Error)?

    init(limit: Int) { self.limit = max(1, limit) }

    /// - Throws: why nothing is sent any more.
    mutating func offer(_ part: Part) throws -> Offer {
        if let failure { throw failure }
        guard onTheirWay < limit else { return .full }
        onTheirWay += 1
        waiting.append(part)
        return .taken
    }

    /// No more is offered.
    mutating func close() { isClosed = true }

    /// Whether `next` would say `none`.
    var isIdle: Bool { failure == nil && waiting.isEmpty && !isClosed }

    mutating func next() throws -> Next {
        if let failure { throw failure }
        if !waiting.isEmpty { return .part(waiting.removeFirst()) }
        return isClosed ? .end : .none
    }

    mutating func finished(_ part: UploadedPart) {
        onTheirWay -= 1
        sent.append(part)
    }

    mutating func fail(_ error: any Error) {
        failure = failure ?? error
        waiting = []
    }

    /// All parts, as an upload is completed with them.
    var inOrder: [UploadedPart] { sent.sorted { $0.number < $1.number } }
}
