import ByteIO
import Testing

@Suite("Bytes in memory")
struct MemoryTests {
    @Test func `are read at any offset, and none behind their end`() throws {
        let source = MemorySource(Array("0123456789".utf8), name: "digits")
        #expect(source.name == "digits")
        #expect(source.length == 10)
        #expect(source.isSeekable)
        #expect(try source.read(4, at: 8) == "89")
        #expect(try source.read(4, at: 0) == "0123")
        for offset in [10, 11, -1, Int64.max, Int64.min] { #expect(try source.read(4, at: offset) == "") }
        #expect(try MemorySource([]).read(4, at: 0) == "")
        #expect(try source.readAll(limit: 10).count == 10)
        source.cancel()
        let error = #expect(throws: ByteIOError.self) { try source.read(4, at: 0) }
        #expect(error?.code == .cancelled)
        #expect(error?.message == "digits was cancelled")
    }

    @Test func `are there once their sink is finished`() throws {
        let sink = MemorySink()
        try sink.write("0123")
        try sink.write("456789")
        try sink.rewrite("abc", at: 7)
        #expect(try sink.readBack(4, at: 6) == "6abc")
        #expect(try sink.readBack(4, at: 10) == "")
        #expect(sink.bytes == nil)
        try sink.finish()
        #expect(sink.bytes == Array("0123456abc".utf8))
        sink.abort()
        #expect(sink.bytes == Array("0123456abc".utf8))
        #expect(throws: ByteIOError.self) { try sink.finish() }
        #expect(throws: ByteIOError.self) { try sink.write("more") }
    }

    @Test func `are gone when their sink is aborted or cancelled`() throws {
        let sink = MemorySink()
        try sink.write("0123")
        sink.abort()
        #expect(throws: ByteIOError.self) { try sink.write("4") }
        #expect(throws: ByteIOError.self) { try sink.finish() }
        #expect(sink.bytes == nil)
        let cancelled = MemorySink()
        cancelled.cancel()
        for call in [{ try cancelled.write("4") }, { try cancelled.finish() }] {
            #expect(throws: ByteIOError.self, performing: call)
        }
        #expect(cancelled.bytes == nil)
    }

    @Test func `are rewritten within the head that may be, and no further`() throws {
        let sink = MemorySink(name: "upload", rewritableHead: 6)
        try sink.write("0123")
        for offset in [-1, 3, 4, Int64.max] {
            let error = #expect(throws: ByteIOError.self) { try sink.rewrite("ab", at: offset) }
            #expect(error?.code == .notSeekable)
        }
        try sink.write("456789")
        try sink.rewrite("ab", at: 4)
        let error = #expect(throws: ByteIOError.self) { try sink.rewrite("ab", at: 5) }
        #expect(error?.message == "cannot rewrite upload at byte 5: only its first 6 bytes can be written again")
        try sink.finish()
        #expect(sink.bytes == Array("0123ab6789".utf8))
    }

    @Test func `are no more than the limit`() throws {
        let sink = MemorySink(limit: 5)
        try sink.write("01234")
        let error = #expect(throws: ByteIOError.self) { try sink.write("5") }
        #expect(error?.code == .noSpace)
        #expect(error?.message == "memory is full at 5 bytes")
        try sink.rewrite("x", at: 0)
        try sink.finish()
        #expect(sink.bytes == Array("x1234".utf8))
    }
}
