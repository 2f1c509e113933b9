/// An answer between the thread that receives it and the task that reads it: what is there, who waits, and whether the
/// sender was told to hold on. A pure state machine; what it returns is to be done with the lock released.
struct ResponseFlow {
    /// The head of an answer.
    struct Head: Sendable {
        var status: Int
        var version: HTTPVersion
        var headers: HTTPHeaders
    }

    /// What to do about a piece of the body.
    enum Receipt {
        /// It was taken.
        case taken
        /// Nothing of it was taken: hold on until the reader comes.
        case full
        /// Nobody wants it any more.
        case unwanted
    }

    typealias HeadWaiter = CheckedContinuation<Head, any Error>
    typealias ChunkWaiter = CheckedContinuation<[UInt8]?, any Error>

    /// Whom to wake, and with what.
    struct Wakeup {
        var head: (HeadWaiter, Result<Head, any Error>)?
        var chunk: (ChunkWaiter, Result<[UInt8]?, any Error>)?

        func perform() {
            if let (waiter, result) = head { waiter.resume(with: result) }
            if let (waiter, result) = chunk { waiter.resume(with: result) }
        }
    }

    /// Bytes that are held for a reader before the sender is told to hold on.
    static let highWater = 512 << 10

    private var head: Head?
    private var pending: [UInt8] = []
    private var headWaiter: HeadWaiter?
    private var chunkWaiter: ChunkWaiter?
    private(set) var isPaused = false
    /// Since when somebody has been waiting for what comes next; `nil` while nobody does.
    private(set) var awaitedSince: ContinuousClock.Instant?
    /// How it ended; the first reason stays.
    private(set) var outcome: Result<Void, any Error>?

    // MARK: From the thread

    mutating func receive(_ head: Head) -> Wakeup {
        guard self.head == nil, outcome == nil else { return Wakeup() }
        self.head = head
        guard let waiter = headWaiter else { return Wakeup() }
        headWaiter = nil
        awaitedSince = nil
        return Wakeup(head: (waiter, .success(head)))
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) -> Receipt {
        guard outcome == nil else { return .unwanted }
        guard pending.count < Self.highWater else {
            isPaused = true
            return .full
        }
        // Of a typed buffer, it is one copy; of a raw one, byte after byte.
        bytes.withMemoryRebound(to: UInt8.self) { pending.append(contentsOf: $0) }
        return .taken
    }

    /// To be called when no more is likely to come soon: hands what is there to who waits. In one piece, which costs
    /// one switch of threads and not one for each packet.
    ///
    /// - Returns: whom to wake, and whether the sender, who was told to hold on, may go on.
    mutating func flush() -> (wakeup: Wakeup, resumesSender: Bool) {
        guard let waiter = chunkWaiter, !pending.isEmpty else { return (Wakeup(), false) }
        chunkWaiter = nil
        awaitedSince = nil
        defer { isPaused = false }
        return (Wakeup(chunk: (waiter, .success(take()))), isPaused)
    }

    /// Ends it. What has arrived can still be read, unless the reader itself gave up.
    mutating func end(_ outcome: Result<Void, any Error>, discardingPending: Bool = false) -> Wakeup {
        guard self.outcome == nil else { return Wakeup() }
        self.outcome = outcome
        if discardingPending { pending = [] }
        var wakeup = Wakeup()
        if let waiter = headWaiter {
            headWaiter = nil
            wakeup.head = (waiter, headAtEnd)
        }
        if let waiter = chunkWaiter {
            chunkWaiter = nil
            wakeup.chunk = (waiter, pending.isEmpty ? chunkAtEnd : .success(take()))
        }
        return wakeup
    }

    // MARK: From the task

    /// - Returns: whom to wake: the waiter itself, if there is no need to wait.
    mutating func wait(forHead waiter: HeadWaiter) -> Wakeup {
        if let head { return Wakeup(head: (waiter, .success(head))) }
        if outcome != nil { return Wakeup(head: (waiter, headAtEnd)) }
        headWaiter = waiter
        awaitedSince = .now
        return Wakeup()
    }

    /// - Returns: whom to wake: the waiter itself, if there is no need to wait; and whether the sender, who was told to
    ///   hold on, may go on.
    mutating func wait(forChunk waiter: ChunkWaiter) -> (wakeup: Wakeup, resumesSender: Bool) {
        if !pending.isEmpty {
            let resumesSender = isPaused
            isPaused = false
            return (Wakeup(chunk: (waiter, .success(take()))), resumesSender)
        }
        if outcome != nil { return (Wakeup(chunk: (waiter, chunkAtEnd)), false) }
        guard chunkWaiter == nil else {
            return (Wakeup(chunk: (waiter, .failure(TransferError(.internal, "the answer has two readers")))), false)
        }
        chunkWaiter = waiter
        awaitedSince = .now
        return (Wakeup(), false)
    }

    private mutating func take() -> [UInt8] {
        defer { pending = [] }
        return pending
    }

    /// What a reader gets who has read all.
    private var chunkAtEnd: Result<[UInt8]?, any Error> {
        if case .failure(let error)? = outcome { return .failure(error) }
        return .success(nil)
    }

    private var headAtEnd: Result<Head, any Error> {
        if case .failure(let error)? = outcome { return .failure(error) }
        return .failure(TransferError(.badResponse, "the server answered without a status"))
    }
}
