import Locking

/// The asynchronous side of a ``MultipartSink``: creates an upload when there is a part to send, sends parts side by
/// side, completes it or throws it away, and keeps the ledger.
///
/// Thread-safe.
final class MultipartUpload: Sendable {
    let store: any MultipartStore
    let key: String
    let options: ObjectOptions
    let ledger: any UploadLedger

    private struct State {
        var queue: PartQueue
        /// Who waits for room in the queue.
        var writer: ThreadWait<Void>?
        /// The sender, who waits for a part.
        var sender: CheckedContinuation<Void, Never>?
        var entry: UploadEntry?
        /// The entry under which the object was made visible.
        var published: UploadEntry?
        var id: String?
        /// Whether there may be an upload whose id is not known.
        var mayBeOrphaned = false
        /// What became of it, if it was made visible.
        var object: ObjectInfo?

        mutating func takeWriter() -> ThreadWait<Void>? {
            defer { writer = nil }
            return writer
        }

        mutating func takeSender() -> CheckedContinuation<Void, Never>? {
            defer { sender = nil }
            return sender
        }
    }
    private let state: Locked<State>

    init(
        _ store: any MultipartStore, key: String, options: ObjectOptions, upload: UploadOptions
    ) {
        self.store = store
        self.key = key
        self.options = options
        ledger = upload.ledger
        state = Locked(State(queue: PartQueue(limit: upload.partsInFlight)))
    }

    var object: ObjectInfo? { state.withLock { $0.object } }
    /// How many parts are on their way.
    var partsOnTheirWay: Int { state.withLock { $0.queue.onTheirWay } }

    // MARK: From the writer's thread

    /// Hands a part over; waits until there is room.
    func offer(_ part: PartQueue.Part) throws {
        while true {
            let (wait, sender) = try state.withLock {
                state throws -> (ThreadWait<Void>?, CheckedContinuation<Void, Never>?) in
                switch try state.queue.offer(part) {
                case .taken: return (nil, state.takeSender())
                case .full:
                    let wait = ThreadWait<Void>()
                    state.writer = wait
                    return (wait, nil)
                }
            }
            sender?.resume()
            guard let wait else { return }
            try wait.wait()
        }
    }

    /// No more parts come.
    func close() {
        state.withLock { state in
            state.queue.close()
            return state.takeSender()
        }?.resume()
    }

    /// Ends it: the writer, who may wait, and the sender.
    func fail(_ error: any Error) {
        let (writer, sender) = state.withLock { state in
            state.queue.fail(error)
            return (state.takeWriter(), state.takeSender())
        }
        writer?.resolve(.failure(error))
        sender?.resume()
    }

    // MARK: Sending

    /// Sends what is offered until the end.
    ///
    /// - Throws: why it stopped; the writer gets the same.
    func send() async throws {
        do {
            try await withThrowingDiscardingTaskGroup { group in
                while let part = try await next() {
                    let id = try await upload()
                    group.addTask { try await self.send(part, upload: id) }
                }
            }
        } catch {
            fail(error)
            throw error
        }
    }

    private func send(_ part: PartQueue.Part, upload id: String) async throws {
        do {
            let uploaded = try await store.uploadPart(key, upload: id, number: part.number, part.bytes)
            state.withLock { state in
                state.queue.finished(uploaded)
                return state.takeWriter()
            }?.resolve(.success(()))
        } catch {
            // Others need not wait for their ends to hear of it.
            fail(error)
            throw error
        }
    }

    /// The next part; `nil` after the last.
    private func next() async throws -> PartQueue.Part? {
        while true {
            switch try state.withLock({ try $0.queue.next() }) {
            case .part(let part): return part
            case .end: return nil
            case .none: await waitForPart()
            }
        }
    }

    private func waitForPart() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                // Looked at again, as something may have come in between; whoever fails the queue resumes this.
                guard state.queue.isIdle else { return true }
                state.sender = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// The upload's id. Creates it the first time.
    private func upload() async throws -> String {
        if let id = state.withLock({ $0.id }) { return id }
        let entry = try await entry()
        state.withLock { $0.mayBeOrphaned = true }
        // Not ended by a cancel: the answer names the upload, which could not be thrown away without it.
        let creation = Task { [store, key, options] in try await store.createUpload(key, options: options) }
        let new: NewUpload
        do { new = try await creation.value } catch {
            if let error = error as? TransferError, !error.mayHaveTakenEffect || 400..<500 ~= error.status ?? 0 {
                state.withLock { $0.mayBeOrphaned = false }
            }
            throw error
        }
        state.withLock { state in
            state.id = new.id
            state.mayBeOrphaned = false
        }
        // An entry that gets no id, and stays until the janitor looks for what belongs to it.
        if new.mayHaveTwin { _ = try await ledger.begin(store: store.name, key: key) }
        try await ledger.created(entry, upload: new.id)
        return new.id
    }

    private func entry() async throws -> UploadEntry {
        if let entry = state.withLock({ $0.entry }) { return entry }
        let entry = try await ledger.begin(store: store.name, key: key)
        state.withLock { $0.entry = entry }
        return entry
    }

    // MARK: Ending

    /// Makes the object visible, if its owner still counts.
    func complete() async throws {
        let (id, parts) = try state.withLock { state throws in
            if let failure = state.queue.failure { throw failure }
            return (state.id, state.queue.inOrder)
        }
        guard let id else {
            throw TransferError(.internal, "\(store.name)/\(key) was completed without an upload")
        }
        try await publish { [store, key, options] in
            try await store.completeUpload(key, upload: id, parts: parts, options: options)
        }
    }

    /// Writes an object that is too small for parts.
    func put(_ bytes: [UInt8]) async throws {
        try await publish { [store, key, options] in try await store.put(key, bytes, options: options) }
    }

    private func publish(_ write: @escaping @Sendable () async throws -> ObjectInfo) async throws {
        let entry = try await entry()
        try await ledger.authorize(entry)
        try Task.checkCancellation()
        // Not ended by a cancel: whether the object is there must be known, to take it back.
        let writing = Task { try await write() }
        let object = try await writing.value
        state.withLock { state in
            state.object = object
            state.published = entry
        }
        await forget()
    }

    /// Leaves nothing behind. Called when neither `send` nor `complete` is running any more.
    ///
    /// Where the upload cannot be thrown away, its entry stays in the ledger for ``UploadJanitor``.
    func discard() async {
        let (id, object, mayBeOrphaned) = state.withLock { ($0.id, $0.object, $0.mayBeOrphaned) }
        if object != nil { return await retract() }
        if let id {
            guard (try? await store.abortUpload(key, upload: id)) != nil else { return }
        }
        if !mayBeOrphaned { await forget() }
    }

    /// Removes the object, unless another one has come in its place, or its owner no longer counts: whoever does writes
    /// the same bytes under the same tag, and what is there may be theirs. Left alone, it is replaced by them.
    func retract() async {
        let (object, entry) = state.withLock { ($0.object, $0.published) }
        guard let object, let entry else { return }
        guard let current = try? await store.head(key), current.etag == object.etag else { return }
        // Right before it goes, as before it came.
        guard (try? await ledger.authorize(entry)) != nil else { return }
        if (try? await store.delete(key)) != nil { state.withLock { $0.object = nil } }
    }

    /// An entry that stays is harmless: the janitor finds no upload to it.
    private func forget() async {
        let entry = state.withLock { state in
            defer { state.entry = nil }
            return state.entry
        }
        if let entry { try? await ledger.end(entry) }
    }
}
