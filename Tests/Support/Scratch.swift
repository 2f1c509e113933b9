import Foundation

/// A folder that goes when the test ends.
public final class Scratch: Sendable {
    public let path: String

    public init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "kiln-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in it.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// All that is in it, hidden files too.
    public var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(filePath: self(name)))
        return self(name)
    }

    public func bytes(_ name: String) -> [UInt8] {
        FileManager.default.contents(atPath: self(name)).map(Array.init) ?? []
    }
}

/// A small file system of its own in memory, where the process may mount one.
public final class SmallDisk {
    public let path: String
    private let folder: Scratch

    public init?(kilobytes: Int) {
        guard let folder = try? Scratch(), mount("tmpfs", folder.path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
            return nil
        }
        self.folder = folder
        path = folder.path
    }

    deinit { umount2(path, 0) }

    public var names: [String] { folder.names }
    public static let canMount = SmallDisk(kilobytes: 64) != nil
}
