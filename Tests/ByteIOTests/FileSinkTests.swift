import ByteIO
import Foundation
import Synchronization
import Testing

@Suite("A file that is written")
struct FileSinkTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    @Test func `appears under its name when it is finished, whole, and not before`() throws {
        let sink = try FileSink(path: folder("a.mp4"), overwrite: false)
        #expect(sink.rewritableHead == .max)
        try sink.write("head, ")
        try sink.write("")
        try sink.write("tail")
        try sink.rewrite("HEAD", at: 0)
        try sink.rewrite("L", at: 9)
        #expect(folder.text("a.mp4") == nil)
        #expect(folder.names.allSatisfy { $0.hasPrefix(".a.mp4.") && $0.hasSuffix(".partial") })
        try sink.finish()
        #expect(folder.names == ["a.mp4"])
        #expect(folder.text("a.mp4") == "HEAD, taiL")
        #expect(folder.openFiles.isEmpty)
        sink.abort()
        #expect(folder.names == ["a.mp4"])
    }

    @Test func `is whole but invisible once it is prepared, and can be taken back after it was published`() throws {
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.write("whole")
        try sink.prepare()
        #expect(folder.text("a") == nil)
        try sink.finish()
        #expect(folder.text("a") == "whole")
        sink.retract()
        #expect(folder.names.isEmpty)
    }

    @Test func `says when it is prepared that its name was taken meanwhile`() throws {
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.write("mine")
        try folder.put("a", "theirs")
        let error = #expect(throws: ByteIOError.self) { try sink.prepare() }
        #expect(error?.code == .exists)
        sink.abort()
        sink.retract()
        #expect(folder.text("a") == "theirs" && folder.names == ["a"])
    }

    @Test func `that somebody else has replaced is not taken back`() throws {
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.write("mine")
        try sink.finish()
        try folder.put("b", "theirs")
        try FileManager.default.removeItem(atPath: folder("a"))
        try FileManager.default.moveItem(atPath: folder("b"), toPath: folder("a"))
        sink.retract()
        #expect(folder.text("a") == "theirs")
    }

    @Test func `can be read back while it is written`() throws {
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.write("0123456789")
        #expect(try sink.readBack(3, at: 4) == "456")
        #expect(try sink.readBack(30, at: 8) == "89")
        #expect(try sink.readBack(3, at: 10) == "")
        try sink.rewrite("x", at: 4)
        try sink.write("a")
        #expect(try sink.readBack(30, at: 3) == "3x56789a")
    }

    @Test func `is rewritten only where something was written`() throws {
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.write("0123")
        for offset in [-1, 3, 4, Int64.max] {
            let error = #expect(throws: ByteIOError.self) { try sink.rewrite("ab", at: offset) }
            #expect(error?.code == .notSeekable)
        }
        try sink.finish()
        #expect(folder.text("a") == "0123")
    }

    @Test func `has the permissions of any new file`() throws {
        try folder.put("other", "")
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.finish()
        #expect(folder.names == ["a", "other"])
        #expect(folder.permissions("a") == folder.permissions("other"))
    }

    // MARK: Leaving nothing

    @Test func `leaves nothing when it is aborted, dropped, or cancelled`() throws {
        let aborted = try FileSink(path: folder("a"), overwrite: false)
        try aborted.write("text")
        aborted.abort()
        aborted.abort()
        #expect(folder.names.isEmpty)
        for call in [{ try aborted.write("x") }, { try aborted.rewrite("x", at: 0) }, { try aborted.finish() }] {
            let error = #expect(throws: ByteIOError.self, performing: call)
            #expect(error?.message.hasSuffix("it was aborted before") == true)
        }
        do {
            let dropped = try FileSink(path: folder("a"), overwrite: false)
            try dropped.write("text")
        }
        #expect(folder.names.isEmpty)
        do {
            let cancelled = try FileSink(path: folder("a"), overwrite: false)
            try cancelled.write("text")
            cancelled.cancel()
            for call in [
                { try cancelled.write("x") }, { try cancelled.rewrite("x", at: 0) }, { try cancelled.finish() },
            ] {
                let error = #expect(throws: ByteIOError.self, performing: call)
                #expect(error?.code == .cancelled)
            }
        }
        #expect(folder.names.isEmpty)
        #expect(folder.openFiles.isEmpty)
    }

    // MARK: What is there already

    @Test func `does not replace another unless that is asked for`() throws {
        try folder.put("a", "old")
        let error = #expect(throws: ByteIOError.self) { try FileSink(path: folder("a"), overwrite: false) }
        #expect(error?.code == .exists)
        #expect(error?.message == "\(folder("a")) exists already; allow overwriting or choose another name")
        #expect(folder.names == ["a"])

        let sink = try FileSink(path: folder("a"), overwrite: true)
        try sink.write("new")
        #expect(folder.text("a") == "old")
        try sink.finish()
        #expect(folder.names == ["a"])
        #expect(folder.text("a") == "new")

        let aborted = try FileSink(path: folder("a"), overwrite: true)
        try aborted.write("newer")
        aborted.abort()
        #expect(folder.names == ["a"])
        #expect(folder.text("a") == "new")
    }

    @Test func `does not replace one that came while it was written`() throws {
        let sink = try FileSink(path: folder("a"), overwrite: false)
        try sink.write("mine")
        try folder.put("a", "theirs")
        let error = #expect(throws: ByteIOError.self) { try sink.finish() }
        #expect(error?.code == .exists)
        #expect(folder.names == ["a"])
        #expect(folder.text("a") == "theirs")
    }

    @Test func `is finished by exactly one of many that have its name`() throws {
        for round in 0..<20 {
            let path = folder("a\(round)")
            let sinks = try (0..<4).map { number in
                let sink = try FileSink(path: path, overwrite: false)
                try sink.write(String(repeating: "\(number)", count: 1000))
                return sink
            }
            let winners = Mutex<[Int]>([])
            let codes = Mutex<[ByteIOError.Code?]>([])
            DispatchQueue.concurrentPerform(iterations: sinks.count) { number in
                do {
                    try sinks[number].finish()
                    winners.withLock { $0.append(number) }
                } catch {
                    codes.withLock { $0.append((error as? ByteIOError)?.code) }
                }
            }
            let winner = try #require(winners.withLock { $0.count == 1 ? $0.first : nil })
            #expect(codes.withLock { $0 } == [.exists, .exists, .exists])
            #expect(folder.text("a\(round)") == String(repeating: "\(winner)", count: 1000))
            #expect(folder.names.count == round + 1)
        }
    }

    @Test func `keeps a symbolic link and replaces what it leads to`() throws {
        try folder.put("target", "old")
        try FileManager.default.createSymbolicLink(atPath: folder("link"), withDestinationPath: "target")
        #expect(throws: ByteIOError.self) { try FileSink(path: folder("link"), overwrite: false) }
        let sink = try FileSink(path: folder("link"), overwrite: true)
        try sink.write("new")
        try sink.finish()
        #expect(folder.names == ["link", "target"])
        #expect(folder.text("target") == "new")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder("link")) == "target")

        try FileManager.default.createSymbolicLink(atPath: folder("loose"), withDestinationPath: "nowhere")
        let error = #expect(throws: ByteIOError.self) { try FileSink(path: folder("loose"), overwrite: false) }
        #expect(error?.code == .exists)
    }

    // MARK: Where it cannot be

    @Test func `needs a folder, a name, and no folder or device in its place`() throws {
        let missing = #expect(throws: ByteIOError.self) { try FileSink(path: folder("none/a"), overwrite: true) }
        #expect(missing?.code == .notFound)
        #expect(missing?.message == "cannot create \(folder("none/a")): its folder does not exist")
        for (path, code) in [
            ("", ByteIOError.Code.notFound), (folder("none/"), .notFound), (folder.path, .permission),
            ("/dev/null", .permission),
        ] {
            let error = #expect(throws: ByteIOError.self) { try FileSink(path: path, overwrite: true) }
            #expect(error?.code == code)
        }
        #expect(folder.names.isEmpty)
    }

    @Test(.enabled(if: geteuid() != 0 || SmallDisk.canMount, "root needs a file system to mount"))
    func `cannot be in a folder that is read-only`() throws {
        let disk = SmallDisk(isReadOnly: true)
        if disk == nil { chmod(folder.path, 0o555) }
        defer { chmod(folder.path, 0o755) }
        let path = (disk?.path ?? folder.path) + "/a"
        let error = #expect(throws: ByteIOError.self) { try FileSink(path: path, overwrite: true) }
        #expect(error?.code == .permission)
        #expect(error?.message.hasPrefix("cannot create \(path): ") == true)
    }

    @Test(.enabled(if: SmallDisk.canMount, "needs the right to mount a file system"))
    func `on a full disk is an error that says so, and leaves nothing`() throws {
        let disk = try #require(SmallDisk())
        try Data("old".utf8).write(to: URL(filePath: disk.path + "/a"))
        let sink = try FileSink(path: disk.path + "/a", overwrite: true)
        let error = #expect(throws: ByteIOError.self) {
            for _ in 0..<100 { try sink.write([UInt8](repeating: 1, count: 3000)) }
        }
        #expect(error?.code == .noSpace)
        #expect(error?.errno == ENOSPC)
        #expect(error?.message.hasSuffix("No space left on device; free some room or write elsewhere") == true)
        sink.abort()
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["a"])
        #expect(FileManager.default.contents(atPath: disk.path + "/a") == Data("old".utf8))
    }

    @Test func `may have a name as long as the file system allows`() throws {
        for name in [String(repeating: "n", count: 255), String(repeating: "映", count: 85)] {
            let sink = try FileSink(path: folder(name), overwrite: false)
            try sink.write("text")
            try sink.finish()
            #expect(folder.text(name) == "text")
        }
        #expect(folder.names.count == 2)
        #expect(throws: ByteIOError.self) {
            let sink = try FileSink(path: folder(String(repeating: "n", count: 256)), overwrite: false)
            try sink.finish()
        }
        #expect(folder.names.count == 2)
    }
}
