import ByteIO
import Foundation
import Synchronization
import Testing

@Suite("A pipe")
struct PipeTests {
    /// The two ends of a new pipe.
    private func makePipe() throws -> (source: PipeSource, sink: PipeSink) {
        let (reading, writing) = try rawPipe()
        return (
            PipeSource(takingOwnershipOf: reading, name: "reading end"),
            PipeSink(takingOwnershipOf: writing, name: "writing end")
        )
    }

    private func rawPipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test func `carries more than fits in it, in order, and ends when its sink is finished`() throws {
        let (source, sink) = try makePipe()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 256) }
        let writer = BlockedCall {
            for start in stride(from: 0, to: bytes.count, by: 100_000) {
                try sink.write(Array(bytes[start..<start + 100_000]))
            }
            try sink.finish()
        }
        #expect(try source.readAll(limit: 300_000) == bytes)
        try writer.value()
        #expect(try source.read(1, at: 300_000) == "")
        #expect(source.length == nil)
        #expect(throws: ByteIOError.self) { try sink.write("more") }
        #expect(throws: ByteIOError.self) { try sink.finish() }
    }

    @Test func `gives what is there, without waiting for more`() throws {
        let (source, sink) = try makePipe()
        try sink.write("0123")
        #expect(try source.read(100, at: 0) == "0123")
        try sink.write("45")
        #expect(try source.read(1, at: 4) == "4")
        #expect(try source.read(100, at: 5) == "5")
    }

    @Test func `is read and written in order only`() throws {
        let (source, sink) = try makePipe()
        #expect(!source.isSeekable)
        #expect(sink.rewritableHead == 0)
        try sink.write("0123")
        #expect(try source.read(2, at: 0) == "01")
        for offset in [Int64(0), 1, 3, -1] {
            let error = #expect(throws: ByteIOError.self) { try source.read(1, at: offset) }
            #expect(error?.code == .notSeekable)
            #expect(error?.message == "cannot read reading end at byte \(offset): it is a pipe, now at 2")
        }
        #expect(try source.read(2, at: 2) == "23")
        let error = #expect(throws: ByteIOError.self) { try sink.rewrite("x", at: 0) }
        #expect(error?.code == .notSeekable)
    }

    @Test func `wakes a reader that waits when it is cancelled, and fails from then on`() throws {
        let (source, sink) = try makePipe()
        let reader = BlockedCall { try source.read(1, at: 0) }
        reader.waitUntilBlocked()
        source.cancel()
        let error = #expect(throws: ByteIOError.self) { try reader.value() }
        #expect(error?.code == .cancelled)
        try sink.write("0")
        source.cancel()
        #expect(throws: ByteIOError.self) { try source.read(1, at: 0) }
    }

    @Test func `wakes a writer that waits when it is cancelled, and fails from then on`() throws {
        let (source, sink) = try makePipe()
        let writer = BlockedCall { try sink.write([UInt8](repeating: 1, count: 1 << 20)) }
        writer.waitUntilBlocked()
        sink.cancel()
        let error = #expect(throws: ByteIOError.self) { try writer.value() }
        #expect(error?.code == .cancelled)
        #expect(throws: ByteIOError.self) { try sink.write("x") }
        #expect(throws: ByteIOError.self) { try sink.finish() }
        sink.abort()
        #expect(try source.readAll(limit: 1 << 20).count < 1 << 20)
    }

    @Test func `without a reader is an error, not the end of the process`() throws {
        let before = signal(SIGPIPE, SIG_DFL)
        defer { signal(SIGPIPE, before) }
        let (reading, writing) = try rawPipe()
        let sink = PipeSink(takingOwnershipOf: writing, name: "writing end")
        close(reading)
        for _ in 0..<3 {
            let error = #expect(throws: ByteIOError.self) { try sink.write("x") }
            #expect(error?.code == .io)
            #expect(error?.errno == EPIPE)
            #expect(error?.message == "cannot write writing end: Broken pipe")
        }
        // The thread's own mask is as it was.
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        #expect(sigismember(&mask, SIGPIPE) == 0)
        var pending = sigset_t()
        sigpending(&pending)
        #expect(sigismember(&pending, SIGPIPE) == 0)
    }

    @Test func `whose reader goes while a writer waits wakes it with an error`() throws {
        let (reading, writing) = try rawPipe()
        let sink = PipeSink(takingOwnershipOf: writing, name: "writing end")
        let writer = BlockedCall { try sink.write([UInt8](repeating: 1, count: 1 << 20)) }
        writer.waitUntilBlocked()
        close(reading)
        let error = #expect(throws: ByteIOError.self) { try writer.value() }
        #expect(error?.errno == EPIPE)
    }

    @Test func `that was made non-blocking is waited for all the same`() throws {
        let (reading, writing) = try rawPipe()
        for end in [reading, writing] { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        let source = PipeSource(takingOwnershipOf: reading, name: "reading end")
        let sink = PipeSink(takingOwnershipOf: writing, name: "writing end")
        let bytes = [UInt8](repeating: 3, count: 500_000)
        let writer = BlockedCall {
            try sink.write(bytes)
            try sink.finish()
        }
        writer.waitUntilBlocked()
        #expect(try source.readAll(limit: 500_000) == bytes)
        try writer.value()
    }

    @Test func `can be a socket`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        for end in ends { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        let source = PipeSource(takingOwnershipOf: ends[0], name: "reading end")
        let sink = PipeSink(takingOwnershipOf: ends[1], name: "writing end")
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let writer = BlockedCall {
            try sink.write(bytes)
            try sink.finish()
        }
        #expect(try source.readAll(limit: 1_000_000) == bytes)
        try writer.value()
    }

    @Test func `with a name is waited for by its reader, who can be cancelled before anyone writes`() throws {
        let folder = try ScratchFolder()
        let path = folder("fifo")
        try #require(mkfifo(path, 0o600) == 0)
        let abandoned = try PipeSource(path: path)
        let reader = BlockedCall { try abandoned.read(1, at: 0) }
        reader.waitUntilBlocked()
        abandoned.cancel()
        let error = #expect(throws: ByteIOError.self) { try reader.value() }
        #expect(error?.code == .cancelled)

        let source = try PipeSource(path: path)
        let all = BlockedCall { try source.readAll(limit: 100) }
        all.waitUntilBlocked()
        let sink = try PipeSink(path: path)
        try sink.write("through the fifo")
        sink.abort()
        #expect(try all.value() == Array("through the fifo".utf8))
    }

    @Test func `with a name waits for its reader when it is written, and can be cancelled meanwhile`() throws {
        let folder = try ScratchFolder()
        let path = folder("fifo")
        try #require(mkfifo(path, 0o600) == 0)
        let abandoned = try PipeSink(path: path)
        let writer = BlockedCall { try abandoned.write("nobody reads this") }
        writer.waitUntilBlocked()
        abandoned.cancel()
        let error = #expect(throws: ByteIOError.self) { try writer.value() }
        #expect(error?.code == .cancelled)

        let sink = try PipeSink(path: path)
        let late = BlockedCall {
            try sink.write("for a late reader")
            try sink.finish()
        }
        late.waitUntilBlocked()
        let source = try PipeSource(path: path)
        #expect(try source.readAll(limit: 100) == Array("for a late reader".utf8))
        try late.value()
    }

    @Test func `that is full for ever says so`() throws {
        let sink = try PipeSink(path: "/dev/full")
        let error = #expect(throws: ByteIOError.self) { try sink.write("x") }
        #expect(error?.code == .noSpace)
    }

    @Test func `that is not there is an error`() throws {
        let folder = try ScratchFolder()
        for open in [{ _ = try PipeSource(path: folder("none")) }, { _ = try PipeSink(path: folder("none")) }] {
            let error = #expect(throws: ByteIOError.self, performing: open)
            #expect(error?.code == .notFound)
        }
        #expect(folder.names.isEmpty)
    }

    @Test func `closes its descriptors`() throws {
        let (reading, writing) = try rawPipe()
        do {
            let source = PipeSource(takingOwnershipOf: reading, name: "reading end")
            let sink = PipeSink(takingOwnershipOf: writing, name: "writing end")
            try sink.write("x")
            sink.abort()
            #expect(try source.readAll(limit: 10) == [UInt8(ascii: "x")])
        }
        #expect(PipeSource.standardInput().name == "standard input")
        #expect(PipeSink.standardOutput().name == "standard output")
        // The process's own are left open.
        PipeSink.standardOutput().abort()
        #expect(fcntl(STDIN_FILENO, F_GETFD) >= 0)
        #expect(fcntl(STDOUT_FILENO, F_GETFD) >= 0)
    }
}
