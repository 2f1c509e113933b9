import ByteIO
import Foundation
import Testing

@Suite("A file that is read")
struct FileSourceTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    @Test func `gives its length and any bytes asked for, and none behind its end`() throws {
        try folder.put("a", "0123456789")
        let source = try FileSource(path: folder("a"))
        #expect(source.length == 10)
        #expect(source.isSeekable)
        #expect(source.name == folder("a"))
        #expect(try source.read(4, at: 6) == "6789")
        #expect(try source.read(100, at: 0) == "0123456789")
        #expect(try source.read(3, at: 2) == "234")
        #expect(try source.read(3, at: 10) == "")
        #expect(try source.read(3, at: 1 << 50) == "")
        #expect(try source.read(0, at: 3) == "")
        #expect(throws: ByteIOError.self) { try source.read(3, at: -1) }
    }

    @Test func `is read whole up to a limit`() throws {
        let text = String(repeating: "text ", count: 40_000)
        try folder.put("a", text)
        let source = try FileSource(path: folder("a"))
        #expect(try source.readAll(limit: 200_000) == Array(text.utf8))
        #expect(try source.readAll(from: 199_990, limit: 10) == Array(text.utf8.suffix(10)))
        let error = #expect(throws: ByteIOError.self) { try source.readAll(limit: 199_999) }
        #expect(error?.code == .tooLarge)
        #expect(error?.description == "\(folder("a")) is larger than 199999 bytes")
    }

    @Test func `must be there, and be a file`() throws {
        let missing = #expect(throws: ByteIOError.self) { try FileSource(path: folder("none")) }
        #expect(missing?.code == .notFound)
        #expect(missing?.errno == ENOENT)
        #expect(missing?.message == "cannot open \(folder("none")): No such file or directory")
        let isFolder = #expect(throws: ByteIOError.self) { try FileSource(path: folder.path) }
        #expect(isFolder?.message == "cannot read \(folder.path): it is a folder")
        #expect(throws: ByteIOError.self) { try FileSource(path: "/dev/null") }
        #expect(folder.openFiles.isEmpty)
    }

    @Test func `is not waited for if it is a pipe without a writer`() throws {
        let path = folder("fifo")
        try #require(mkfifo(path, 0o600) == 0)
        let error = #expect(throws: ByteIOError.self) { try FileSource(path: path) }
        #expect(error?.message == "cannot read \(path) as a file: it is a pipe or device")
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything")) func `may be closed to us`() throws {
        try folder.put("a", "secret")
        chmod(folder("a"), 0)
        let error = #expect(throws: ByteIOError.self) { try FileSource(path: folder("a")) }
        #expect(error?.code == .permission)
    }

    @Test func `is closed when it goes, and not read once it is cancelled`() throws {
        try folder.put("a", "0123456789")
        do {
            let source = try FileSource(path: folder("a"))
            #expect(folder.openFiles.count == 1)
            source.cancel()
            let error = #expect(throws: ByteIOError.self) { try source.read(1, at: 0) }
            #expect(error?.code == .cancelled)
        }
        #expect(folder.openFiles.isEmpty)
    }
}
