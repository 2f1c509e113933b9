import Foundation
import Testing
import Transfer
import TransferTestSupport

/// Every store does what ``StoreConformance`` says.
@Suite struct ConformanceTests {
    @Test(arguments: StoreConformance.checks) func `a folder conforms`(_ check: StoreConformance) async throws {
        let folder = try ScratchFolder()
        try await check.run(try LocalStore(root: folder.path))
    }

    @Test(arguments: StoreConformance.checks) func `S3 conforms, against the strict server`(
        _ check: StoreConformance
    ) async throws {
        let server = try S3Server()
        try await check.run(try S3Bench.store(server, client: try HTTPBench.client()))
        #expect(server.refusals == [])
    }

    @Test(
        .enabled(if: MotoServer.python != nil, Comment(rawValue: MotoServer.absence)),
        arguments: StoreConformance.checks
    ) func `S3 conforms, against moto`(_ check: StoreConformance) async throws {
        let client = try HTTPBench.client()
        let moto = try await MotoServer.shared()
        try await check.run(try await moto.bucket(client: client))
    }
}

/// A folder that goes when the last reference does.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "kiln-transfer-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        let url = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    func text(_ name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    /// All files and folders below it.
    var names: Set<String> { Set(FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []) }
}

/// What the tests of S3 share.
enum S3Bench {
    static func store(
        _ server: S3Server, client: HTTPClient,
        credentials: any CredentialsProvider = StaticCredentials(S3Server.credentials),
        checksum: ObjectChecksum.Algorithm = .md5, clock: @escaping @Sendable () -> Double = { WallClock.now }
    ) throws -> S3Store {
        S3Store(
            bucket: server.settings.bucket,
            settings: S3Settings(
                endpoint: try HTTPURL(server.endpoint), region: server.settings.region, checksum: checksum),
            credentials: credentials, client: client, clock: clock)
    }

    static func read(_ store: any ObjectStore, _ key: String, range: Range<Int64>? = nil) async throws -> [UInt8] {
        try await store.read(key, range: range, ifMatch: nil) { content in
            var bytes: [UInt8] = []
            for try await chunk in content.bytes { bytes += chunk }
            return bytes
        }
    }
}
