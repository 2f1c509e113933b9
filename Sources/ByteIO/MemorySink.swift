import Synchronization

/// Collects what is written in memory.
///
/// Thread safety: `bytes` may be read from any thread.
public final class MemorySink: ReadableByteSink {
    public let name: String
    public let rewritableHead: Int64
    private let limit: Int
    private let state = Mutex((bytes: [UInt8](), finished: false))

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
        state.withLock { $0.finished ? $0.bytes : nil }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { held in
            guard held.bytes.count + bytes.count <= limit else {
                throw ByteIOError(.noSpace, "\(name) is full at \(limit) bytes")
            }
            held.bytes.append(contentsOf: bytes)
        }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try state.withLock { held in
            let end = offset + Int64(bytes.count)
            guard offset >= 0, end <= Int64(held.bytes.count), end <= rewritableHead else {
                throw ByteIOError(.notSeekable, "cannot rewrite \(name) at byte \(offset)")
            }
            held.bytes.replaceSubrange(Int(offset)..<Int(end), with: bytes)
        }
    }

    public func readBack(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        state.withLock { held in
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
        state.withLock { $0.finished = true }
    }

    public func abort() {
        state.withLock { held in
            if !held.finished { held.bytes = [] }
        }
    }
}
