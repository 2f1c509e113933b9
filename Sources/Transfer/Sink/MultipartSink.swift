public import ByteIO
import Locking

/// Writes an object in a store while it is made: parts are sent as soon as they are full, several at a time.
///
/// ```swift
/// let sink = try await MultipartSink(store, key: "out/b.mp4", upload: UploadOptions(expectedSize: 4 << 30))
/// ```
/// The first part is kept until the end, so that a container's head can be written again. A writer who is faster than
/// the network waits. No more than `partsInFlight` + 2 parts are in memory. What fits into one part is written by a
/// single request.
///
/// The object is there after `finish` and not before. An upload that was begun is thrown away by `abort`, and when the
/// sink is dropped; if the process dies, the ledger knows of it.
///
/// Thread safety: as ``ByteSink``; `cancel` may come from any thread. Calls block their thread, which must not be one
/// of Swift's pool.
public final class MultipartSink: ByteSink {
    /// The store's name and the key.
    public let name: String
    /// Bytes of a part.
    public var rewritableHead: Int64 { sizing.partSize }

    private enum Progress { case open, prepared, finished, aborted }

    private struct State {
        var progress = Progress.open
        /// The first part.
        var head: [UInt8] = []
        /// The part that is being filled, from the second on.
        var part: [UInt8] = []
        var number = 1
        var written: Int64 = 0
        /// Sends the parts; `nil` as long as there are none.
        var sending: Task<Void, any Error>?
        /// Makes the object visible.
        var completing: Task<Void, any Error>?
        /// What threads wait for now.
        var waits: [ThreadWait<Void>] = []
        /// Why nothing may be called any more.
        var end: (any Error)?
    }

    private let sizing: PartSizing
    private let upload: MultipartUpload
    private let state = Locked(State())
    /// How long `abort` and `retract` wait for a server. An upload that is still there is left to ``UploadJanitor``.
    private static let patience = Duration.seconds(10)

    /// - Throws: ``TransferError``: `exists` if the object is there and `options` say that it must not be replaced;
    ///   `tooLarge` if the store does not take what is expected.
    public init(
        _ store: any MultipartStore, key: String, options: ObjectOptions = ObjectOptions(),
        upload: UploadOptions = UploadOptions()
    ) async throws {
        name = "\(store.name)/\(key)"
        sizing = try PartSizing(upload, limits: store.multipartLimits, name: name)
        self.upload = MultipartUpload(store, key: key, options: options, upload: upload)
        if !options.overwrite {
            do {
                _ = try await store.head(key)
            } catch let error as TransferError where error.code == .notFound {
                return
            }
            throw TransferError(
                .exists, "\(name) exists already", hint: "choose another key, or allow it to be replaced")
        }
    }

    deinit {
        let isOver = state.withLock { $0.progress == .finished || $0.progress == .aborted }
        // A sink may be dropped on a thread that must not be blocked.
        if !isOver { Task { [upload, state] in await Self.discard(upload, state) } }
    }

    // MARK: Writing

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // The part that is full goes before the next byte comes: so the last one is never empty.
            let full = try state.withLock { state throws -> PartQueue.Part? in
                try expect(.open, "write", state)
                guard state.written < sizing.largestObject else {
                    throw TransferError(
                        .tooLarge,
                        "\(name) is longer than \(sizing.largestObject) bytes, which is all that its parts hold",
                        hint: "say how long it will be when it is begun", isRetryable: false)
                }
                if state.number > 1, Int64(state.part.count) == sizing.partSize {
                    defer {
                        state.part = []
                        state.number += 1
                    }
                    return PartQueue.Part(number: state.number, bytes: state.part)
                }
                if state.number == 1, Int64(state.head.count) == sizing.partSize { state.number = 2 }
                let isHead = state.number == 1
                let room = Int(sizing.partSize) - (isHead ? state.head.count : state.part.count)
                let count = min(rest.count, room)
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
                if isHead {
                    // What is not written to takes no memory; grown bit by bit it would end up in twice the room.
                    if state.head.isEmpty { state.head.reserveCapacity(Int(sizing.partSize)) }
                    state.head.append(contentsOf: piece)
                } else {
                    if state.part.isEmpty { state.part.reserveCapacity(Int(sizing.partSize)) }
                    state.part.append(contentsOf: piece)
                }
                state.written += Int64(count)
                rest = rest.dropFirst(count)
                return nil
            }
            if let full { try send(full) }
        }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try state.withLock { state throws in
            try expect(.open, "rewrite", state)
            let end = Int64(state.head.count)
            guard offset >= 0, offset <= end - Int64(bytes.count) else {
                throw TransferError(
                    .notSeekable,
                    "cannot rewrite \(name) at byte \(offset): only its first \(end) bytes can be written again")
            }
            state.head.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)...]).copyMemory(from: bytes)
            }
        }
    }

    private func expect(_ progress: Progress, _ operation: String, _ state: State) throws {
        if let end = state.end { throw end }
        guard state.progress == progress else {
            throw TransferError(.closed, "cannot \(operation) \(name): it was \(state.progress) before")
        }
    }

    private func send(_ part: PartQueue.Part) throws {
        state.withLock { state in
            if state.sending == nil { state.sending = Task { [upload] in try await upload.send() } }
        }
        try upload.offer(part)
    }

    // MARK: Finishing

    /// Sends all that is left, the first part, too, and waits until the store has it.
    public func prepare() throws {
        do { try sendRest() } catch {
            state.withLock { $0.end = $0.end ?? error }
            throw error
        }
    }

    private func sendRest() throws {
        let parts = try state.withLock { state throws -> [PartQueue.Part] in
            if state.progress == .prepared {
                if let end = state.end { throw end }
                return []
            }
            try expect(.open, "prepare", state)
            state.progress = .prepared
            guard state.number > 1 else { return [] }
            defer {
                state.head = []
                state.part = []
            }
            return [
                PartQueue.Part(number: state.number, bytes: state.part), PartQueue.Part(number: 1, bytes: state.head),
            ]
        }
        guard !parts.isEmpty else { return }
        for part in parts { try send(part) }
        upload.close()
        guard let sending = state.withLock({ $0.sending }) else { return }
        try wait { try await sending.value }
    }

    public func finish() throws {
        do {
            try prepare()
            let completing = try state.withLock { state throws -> Task<Void, any Error> in
                try expect(.prepared, "finish", state)
                let bytes = state.sending == nil ? state.head : nil
                let task = Task { [upload] in
                    if let bytes { try await upload.put(bytes) } else { try await upload.complete() }
                }
                state.completing = task
                return task
            }
            try wait { try await completing.value }
            try state.withLock { state throws in
                // Whoever cancelled at the last moment was told so.
                if let end = state.end { throw end }
                state.progress = .finished
                state.head = []
            }
        } catch {
            abort()
            throw error
        }
    }

    /// Waits for `body`, or until the sink is cancelled, whatever `body` still does then.
    private func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
        let wait = ThreadWait<Void>()
        let end = state.withLock { state in
            state.waits.append(wait)
            return state.end
        }
        if let end { wait.resolve(.failure(end)) }
        Task {
            do { wait.resolve(.success(try await body())) } catch { wait.resolve(.failure(error)) }
        }
        defer { state.withLock { state in state.waits.removeAll { $0 === wait } } }
        try wait.wait()
    }

    // MARK: Giving up

    public func abort() {
        let isOver = state.withLock { state in
            defer { if state.progress != .finished { state.progress = .aborted } }
            return state.progress == .finished || state.progress == .aborted
        }
        guard !isOver else { return }
        // Not by `wait`: a cancelled sink throws its upload away, too.
        Self.waitPatiently { [upload, state] in await Self.discard(upload, state) }
    }

    /// Waits for `body`, but not for ever: it goes on by itself then.
    private static func waitPatiently(_ body: @escaping @Sendable () async -> Void) {
        let wait = ThreadWait<Void>()
        let timer = Task {
            try await Task.sleep(for: patience)
            wait.resolve(.success(()))
        }
        Task {
            await body()
            wait.resolve(.success(()))
        }
        try? wait.wait()
        timer.cancel()
    }

    /// Stops what is under way and leaves nothing behind.
    private static func discard(_ upload: MultipartUpload, _ state: Locked<State>) async {
        let error = TransferError(.closed, "the upload was aborted")
        upload.fail(error)
        let (sending, completing) = state.withLock { state in
            state.head = []
            state.part = []
            return (state.sending, state.completing)
        }
        sending?.cancel()
        completing?.cancel()
        _ = await sending?.result
        _ = await completing?.result
        await upload.discard()
    }

    /// Deletes the object, unless another one has come in its place or the ledger says that its owner no longer counts.
    public func retract() {
        let isFinished = state.withLock { state in
            defer { if state.progress == .finished { state.progress = .aborted } }
            return state.progress == .finished
        }
        guard isFinished else { return }
        Self.waitPatiently { [upload] in await upload.retract() }
    }

    public func cancel() {
        let error = TransferError(.cancelled, "writing \(name) was cancelled", isRetryable: false)
        let (waits, sending, completing) = state.withLock { state in
            if state.progress != .finished { state.end = state.end ?? error }
            return (state.waits, state.sending, state.completing)
        }
        upload.fail(error)
        for wait in waits { wait.resolve(.failure(error)) }
        sending?.cancel()
        completing?.cancel()
    }

    /// The object, once it is finished.
    public var object: ObjectInfo? { state.withLock { $0.progress == .finished } ? upload.object : nil }
}
