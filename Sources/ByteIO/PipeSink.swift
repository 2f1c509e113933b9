import Glibc

/// A pipe, socket or FIFO, written in order. What is written cannot be taken back by `abort`.
///
/// A reader that goes away is an `io` error with errno EPIPE, whatever the process does about SIGPIPE.
public final class PipeSink: ByteSink {
    /// The path, the name that was given, or "standard output".
    public let name: String
    /// 0: nothing can be written again.
    public var rewritableHead: Int64 { 0 }
    private let descriptor: OwnedDescriptor
    private let cancellation = Cancellation()

    /// Writes to the process's standard output, which is left open.
    public static func standardOutput() -> PipeSink {
        PipeSink(OwnedDescriptor(takingOwnershipOf: STDOUT_FILENO, name: "standard output", closes: false))
    }

    /// - Parameter descriptor: closed by `finish` or `abort`.
    public convenience init(takingOwnershipOf descriptor: Int32, name: String) {
        self.init(OwnedDescriptor(takingOwnershipOf: descriptor, name: name))
    }

    /// Opens a FIFO or device by its path. Does not wait for a FIFO's reader: the first `write` does, and can be
    /// cancelled.
    public convenience init(path: String) throws {
        do {
            self.init(try OwnedDescriptor.open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY, name: path))
        } catch let error as ByteIOError where error.errno == ENXIO {
            self.init(OwnedDescriptor(pending: path))
        }
    }

    private init(_ descriptor: OwnedDescriptor) {
        self.descriptor = descriptor
        name = descriptor.name
    }

    /// A FIFO without a reader cannot be opened for writing (ENXIO), and there is nothing to `poll`: so it is tried
    /// again and again.
    private func awaitReader() throws {
        while descriptor.isPending {
            try cancellation.check(name)
            do {
                try descriptor.openLater(name, O_WRONLY | O_NONBLOCK | O_NOCTTY)
            } catch let error as ByteIOError where error.errno == ENXIO {
                usleep(20_000)
            }
        }
    }

    /// Bytes per write call: what a pipe takes at once after `poll` says that it is ready (PIPE_BUF), so that the
    /// call does not block and a cancel is noticed.
    private static let slice = 4096

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try withoutBrokenPipeSignal {
            try awaitReader()
            var rest = bytes[...]
            while !rest.isEmpty {
                try descriptor.wait(for: Int16(POLLOUT), unless: cancellation)
                let slice = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.slice))
                rest = rest.dropFirst(try descriptor.writeSome(slice) ?? 0)
            }
        }
    }

    public func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        throw ByteIOError(.notSeekable, "cannot rewrite \(name) at byte \(offset): it is a pipe")
    }

    public func finish() throws {
        try cancellation.check(name)
        try awaitReader()
        guard descriptor.raw >= 0 else {
            throw ByteIOError(.io, "cannot finish \(name): it was finished or aborted before")
        }
        descriptor.close()
    }

    public func abort() { descriptor.close() }
    public func cancel() { cancellation.cancel() }
}
