import Foundation
import Glibc
import Testing

@testable import MediaKit

@Suite("A job's folder for small files", .serialized)
struct TemporaryFolderTests {
    @Test func `goes with its owner, and with what is in it`() throws {
        let path = try {
            let folder = try TemporaryFolder()
            try Data("statistics".utf8).write(to: URL(filePath: folder.path + "/pass"))
            return folder.path
        }()
        #expect(access(path, F_OK) != 0)
    }

    @Test func `of a process that was killed is removed by the next; one in use is not`() throws {
        let alive = try TemporaryFolder()
        let abandoned = URL(filePath: alive.path).deletingLastPathComponent()
            .appending(path: "kiln-job-\(UUID().uuidString.prefix(6))").path
        try FileManager.default.createDirectory(atPath: abandoned, withIntermediateDirectories: false)
        try Data().write(to: URL(filePath: abandoned + "/lock"))
        try Data("statistics".utf8).write(to: URL(filePath: abandoned + "/pass"))
        _ = try TemporaryFolder()
        #expect(access(abandoned, F_OK) != 0)
        #expect(access(alive.path, F_OK) == 0)
    }
}
