import Glibc
import Synchronization

/// A pipe, socket, terminal or FIFO, read in order.
public final class PipeSource: ByteSource {
    /// The path, the name that was given, or "standard input".
    public let name: String
    /// `nil`: it is not known before the end.
    public var length: Int64? { nil }
    /// False: each read must begin where the one before it ended.
    public var isSeekable: Bool { false }
    private let descriptor: OwnedDescriptor
    private let position = Atomic<Int64>(0)
    private let cancellation = Cancellation()

    /// Reads the process's standard input, which is left open.
    public static func standardInput() -> PipeSource {
        PipeSource(OwnedDescriptor(takingOwnershipOf: STDIN_FILENO, name: "standard input", closes: false))
    }

    /// - Parameter descriptor: closed when the source goes.
    public convenience init(takingOwnershipOf descriptor: Int32, name: String) {
        self.init(OwnedDescriptor(takingOwnershipOf: descriptor, name: name))
    }

    /// Opens a FIFO or device by its path. Does not wait for a FIFO's writer: `read` does, and can be cancelled.
    public convenience init(path: String) throws {
        self.init(try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, name: path))
    }

    private init(_ descriptor: OwnedDescriptor) {
        self.descriptor = descriptor
        name = descriptor.name
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let expected = position.load(ordering: .relaxed)
        guard offset == expected else {
            throw ByteIOError(.notSeekable, "cannot read \(name) at byte \(offset): it is a pipe, now at \(expected)")
        }
        guard !buffer.isEmpty else { return 0 }
        while true {
            try descriptor.wait(for: Int16(POLLIN), unless: cancellation)
            guard let count = try descriptor.readSome(into: buffer) else { continue }
            position.store(expected + Int64(count), ordering: .relaxed)
            return count
        }
    }

    public func cancel() { cancellation.cancel() }
}
