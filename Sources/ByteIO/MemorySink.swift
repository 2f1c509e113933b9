import Synchronization

/// Collects what is written in memory.
///
/// Thread safety: `bytes` may be read from any thread.
public final class MemorySink: ReadableByteSink {
    /// What errors call the sink. Default "memory".
    public let name: String
    /// Bytes at the start that may be written again. Default: all.
    public let rewritableHead: Int64
    private let limit: Int
    private let state = Mutex((bytes: [UInt8](), progress: SinkProgress.open))
    private let cancellation = Cancellation()

    /// - Parameters:
    ///   - rewritableHead: bytes at the start that may be written again; less than all imitates an upload or, with
    ///     0, a pipe.
    ///   - limit: bytes after which `write` throws `noSpace`.
    public init(name: String = "memory", rewritableHead: Int64 = .max, limit: Int = .max) {
        self.name = name
        self.rewritableHead = rewritableHead
        self.limit = limit
    }

    /// The whole output once it is finished; `nil` before, and after an abort.
    public var bytes: [UInt8]? {
        state.withLock { $0.progress == .finished ? $0.bytes : nil }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try cancellation.check(name)
        try state.withLock { held in
            try held.progress.expectOpen("write", name)
            guard bytes.count <= limit - held.bytes.count else {
                throw ByteIOError(.noSpace, "\(name) is full at \(limit) bytes")
            }
            held.bytes.append(contentsOf: bytes)
        }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try cancellation.check(name)
        try state.withLock { held in
            try held.progress.expectOpen("rewrite", name)
            let end = min(Int64(held.bytes.count), rewritableHead)
            guard offset >= 0, offset <= end - Int64(bytes.count) else {
                throw ByteIOError(
                    .notSeekable,
                    "cannot rewrite \(name) at byte \(offset): only its first \(end) bytes can be written again")
            }
            held.bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)...]).copyMemory(from: bytes)
            }
        }
    }

    public func readBack(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try cancellation.check(name)
        return state.withLock { held in
            guard offset >= 0, offset < Int64(held.bytes.count) else { return 0 }
            let start = Int(offset)
            let count = min(buffer.count, held.bytes.count - start)
            held.bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
            }
            return count
        }
    }

    public func finish() throws {
        try cancellation.check(name)
        try state.withLock { held in
            try held.progress.expectOpen("finish", name)
            held.progress = .finished
        }
    }

    public func abort() {
        state.withLock { held in
            guard held.progress == .open else { return }
            held.progress = .aborted
            held.bytes = []
        }
    }

    public func retract() {
        state.withLock { held in
            guard held.progress == .finished else { return }
            held.progress = .aborted
            held.bytes = []
        }
    }

    public func cancel() { cancellation.cancel() }
}
