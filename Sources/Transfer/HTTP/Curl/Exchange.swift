import Locking

/// One request on its way to one server, as both sides see it: the task that waits for the answer, and the thread that
/// carries it out.
///
/// Thread-safe.
final class Exchange: Sendable {
    let hop: Hop
    let options: Options
    let upload: UploadFlow?
    private let loop: CurlLoop
    private let flow = Locked(ResponseFlow())
    private let deadline: Locked<Deadline?>
    /// Writes the body.
    private let pump = Locked<Task<Void, Never>?>(nil)

    /// What the thread needs to know beside the hop.
    struct Options: Sendable {
        var destination: HTTPRequest.Destination
        var timeouts: HTTPTimeouts
        var acceptsCompression: Bool
        /// Whether it may be sent again where a connection that was open already turns out to be dead.
        var isIdempotent: Bool
        var onRepeat: (@Sendable () -> Void)?
    }

    /// A moment by which it must be over, and what to call that.
    struct Deadline: Sendable {
        var moment: ContinuousClock.Instant
        /// "the request took longer than 60 s"
        var message: String
    }

    init(_ hop: Hop, options: Options, deadline: Deadline?, loop: CurlLoop) {
        self.hop = hop
        self.options = options
        self.loop = loop
        self.deadline = Locked(deadline)
        if case .stream(let length, _, _) = hop.body.content {
            // The upload comes before the exchange is whole, and must not keep it alive.
            let reference = WeakExchange()
            upload = UploadFlow(length: length) { reference.exchange?.resumeSending() }
            reference.set(self)
        } else {
            upload = nil
        }
    }

    // MARK: The task's side

    /// Sends the request and waits for the head of the answer. To be called once.
    func start() async throws -> ResponseFlow.Head {
        // The thread may be done with it before the handler below is asked.
        guard !Task.isCancelled else { throw Self.cancelled }
        loop.submit(.start(self))
        if case .stream(_, _, let produce) = hop.body.content, let upload {
            // A task of its own: it goes on while the answer is read, and `close` waits for its end.
            let task = Task {
                do {
                    try await produce(HTTPBodyWriter(upload: upload))
                    upload.finish()
                } catch {
                    // A body that ends early ends the request.
                    abandon(error)
                }
            }
            pump.withLock { $0 = task }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                flow.withLock { $0.wait(forHead: waiter) }.perform()
            }
        } onCancel: {
            cancel()
        }
    }

    /// The next piece of the body, never empty; `nil` at its end.
    func nextChunk() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let (wakeup, resumesSender) = flow.withLock { $0.wait(forChunk: waiter) }
                wakeup.perform()
                if resumesSender { loop.submit(.resumeReceiving(self)) }
            }
        } onCancel: {
            cancel()
        }
    }

    private func cancel() { abandon(Self.cancelled) }

    private static var cancelled: TransferError {
        TransferError(.cancelled, "the request was cancelled", isRetryable: false)
    }

    /// Ends it after use. What little may be left of the answer is read, so that its connection can be kept.
    func finish(_ head: ResponseFlow.Head) async {
        let isShort =
            hop.method == .head || [204, 304].contains(head.status)
            || head.headers["Content-Length"].flatMap({ Int64($0) }).map { $0 <= Self.shortAnswer } ?? false
        if isShort, !isEnded {
            limit(to: Deadline(moment: .now + Self.shortAnswerPatience, message: "the rest took too long"))
            while (try? await nextChunk()) != nil {}
        }
        await close()
    }

    /// In bytes.
    private static let shortAnswer: Int64 = 64 << 10
    private static let shortAnswerPatience = Duration.milliseconds(500)

    /// Ends it, whatever is still to come, and waits until the body's writer has noticed.
    func close() async {
        abandon(TransferError(.closed, "the answer was read after the request had ended"))
        let task = pump.withLock { $0 }
        task?.cancel()
        await task?.value
    }

    /// Ends it from outside.
    private func abandon(_ error: any Error) {
        let error = (error as? TransferError).map(describe) ?? error
        let wakeup = flow.withLock { flow in
            flow.outcome == nil ? flow.end(.failure(error), discardingPending: true) : nil
        }
        upload?.fail(error)
        guard let wakeup else { return }
        wakeup.perform()
        loop.submit(.remove(self))
    }

    /// Brings the end forward.
    func limit(to deadline: Deadline) {
        self.deadline.withLock { held in
            if let current = held, current.moment <= deadline.moment { return }
            held = deadline
        }
        loop.submit(.look)
    }

    // MARK: The thread's side

    /// The moment by which it must be over.
    var currentDeadline: Deadline? { deadline.withLock { $0 } }
    /// Since when the task has been waiting for what comes next; `nil` while it does something else.
    var awaitedSince: ContinuousClock.Instant? { flow.withLock { $0.awaitedSince } }
    var isEnded: Bool { flow.withLock { $0.outcome != nil } }

    func receive(_ head: ResponseFlow.Head) { flow.withLock { $0.receive(head) }.perform() }
    func receive(_ bytes: UnsafeRawBufferPointer) -> ResponseFlow.Receipt { flow.withLock { $0.receive(bytes) } }

    /// Tells the reader what has arrived.
    ///
    /// - Returns: whether the server, who was told to hold on, may go on.
    func flush() -> Bool {
        let (wakeup, resumesSender) = flow.withLock { $0.flush() }
        wakeup.perform()
        return resumesSender
    }

    /// The thread is done with it.
    ///
    /// - Parameter failure: `nil` for an answer that is complete. What the body's writer threw comes before it.
    func end(_ failure: TransferError?) {
        if let failure {
            let error = upload?.failure ?? describe(failure)
            flow.withLock { $0.end(.failure(error)) }.perform()
            upload?.fail(error)
        } else {
            flow.withLock { $0.end(.success(())) }.perform()
            upload?.fail(describe(TransferError(.closed, "the server answered before the body was complete")))
        }
    }

    private func resumeSending() { loop.submit(.resumeSending(self)) }

    /// The error with what it was about.
    func describe(_ error: TransferError) -> TransferError {
        var error = error
        error.request = error.request ?? TransferError.RequestLine(hop.method, hop.url)
        return error
    }
}

/// Breaks the circle between an exchange and its upload.
private final class WeakExchange: Sendable {
    private struct Reference { weak var exchange: Exchange? }
    private let reference = Locked(Reference())
    var exchange: Exchange? { reference.withLock { $0.exchange } }
    func set(_ exchange: Exchange) { reference.withLock { $0.exchange = exchange } }
}
