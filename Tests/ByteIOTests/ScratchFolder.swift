import ByteIO
import Foundation

/// A folder that goes when the test ends.
final class ScratchFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "byteio-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// All that is in it, hidden files too.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// Files in it that this process holds open.
    var openFiles: [String] {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return descriptors.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        .filter { $0.hasPrefix(path + "/") }
    }

    func put(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: self(name)))
    }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: self(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    func permissions(_ name: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: self(name)))?[.posixPermissions] as? Int
    }
}

/// A file system of its own, of 64 KiB, where the tests may mount one.
final class SmallDisk {
    let path: String
    private let folder: ScratchFolder

    init?(isReadOnly: Bool = false) {
        // MS_RDONLY of mount(2) is 1.
        guard let folder = try? ScratchFolder(),
            mount("tmpfs", folder.path, "tmpfs", isReadOnly ? 1 : 0, "size=64k") == 0
        else { return nil }
        self.folder = folder
        path = folder.path
    }

    deinit { umount2(path, 0) }

    static let canMount = SmallDisk() != nil
}

extension ByteSink {
    func write(_ text: String) throws { try write(Array(text.utf8)) }
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
    func rewrite(_ text: String, at offset: Int64) throws {
        try Array(text.utf8).withUnsafeBytes { try rewrite($0, at: offset) }
    }
}

extension ReadableByteSink {
    func readBack(_ count: Int, at offset: Int64) throws -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try readBack(into: $0, at: offset) }
        return String(decoding: bytes[..<read], as: UTF8.self)
    }
}

extension ByteSource {
    func read(_ count: Int, at offset: Int64) throws -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try self.read(into: $0, at: offset) }
        return String(decoding: bytes[..<read], as: UTF8.self)
    }
}
