import ByteIO
import Locking
import Testing
import Transfer
import TransferTestSupport

@Suite struct StoresTests {
    private static let bytes = Array("some bytes".utf8)

    private func write(_ stores: Stores, _ location: String) async throws {
        let sink = try await stores.sink(for: try ObjectLocation(location))
        try await BlockingThread.run {
            try Self.bytes.withUnsafeBytes { try sink.write($0) }
            try sink.finish()
        }
    }

    private func read(_ stores: Stores, _ location: String) async throws -> [UInt8] {
        let source = try await stores.source(for: try ObjectLocation(location))
        return try await BlockingThread.run { try source.readAll(limit: 1 << 20) }
    }

    @Test func `every kind of location is written and read`() async throws {
        let server = try S3Server()
        let folder = try ScratchFolder()
        let client = try HTTPBench.client()
        let held = Locked<[UInt8]>([])
        let web = try HTTPBench.server { connection, request, body in
            if request.method == "PUT" {
                #expect(request.headers["Content-Length"] == "\(body.count)")
                held.withLock { $0 = body }
            }
            try connection.respond(200, body: request.method == "GET" ? held.withLock { $0 } : [])
        }
        let stores = Stores(
            client: client, defaultStore: try LocalStore(root: folder.path),
            s3: S3Settings(endpoint: try HTTPURL(server.endpoint), region: server.settings.region),
            credentials: StaticCredentials(S3Server.credentials), fileRoots: [folder.path])
        for location in ["s3://media/a/b.mp4", "store://x/y.mp4", "file://\(folder.path)/z.mp4", web.url("/w?sig=1")] {
            try await write(stores, location)
            #expect(try await read(stores, location) == Self.bytes, "\(location)")
        }
        #expect(server.bytes("a/b.mp4") == Self.bytes)
        #expect(folder.names == ["x", "x/y.mp4", "z.mp4"])
        #expect(stores.store(named: "s3://media")?.name == "s3://media")
        #expect(stores.store(named: "file://\(folder.path)") is LocalStore)
        #expect(stores.store(named: "https://example.com") == nil)
    }

    @Test func `what is not configured is refused`() async throws {
        let stores = Stores(client: try HTTPBench.client())
        for location in ["s3://media/a", "store://a", "file:///etc/passwd"] {
            #expect(await transferError { _ = try await read(stores, location) }?.code == .badURL)
            #expect(await transferError { try await write(stores, location) }?.code == .badURL)
        }
        #expect(stores.store(named: "s3://media") == nil)
    }

    @Test func `files outside the roots are refused, however they are named`() async throws {
        let folder = try ScratchFolder()
        let other = try ScratchFolder()
        try other.write("secret.txt", "secret")
        try folder.link("link.txt", to: other.path + "/secret.txt")
        try folder.link("dir", to: other.path)
        let beside = folder.path + "-beside"
        let stores = Stores(client: try HTTPBench.client(), fileRoots: [folder.path])
        for path in [
            "\(other.path)/secret.txt", "\(folder.path)/../\(other.path.split(separator: "/").last ?? "")/secret.txt",
            "\(folder.path)/link.txt", "\(folder.path)/dir/secret.txt", "/etc/passwd", "/proc/self/environ",
        ] {
            let refused = await transferError { _ = try await read(stores, "file://\(path)") }
            #expect(refused?.code == .accessDenied, "\(path)")
            let written = await transferError { try await write(stores, "file://\(path)") }
            #expect(written?.code == .accessDenied, "\(path)")
        }
        for path in ["\(folder.path)/dir/new.txt", "\(folder.path)/..", beside, "\(folder.path)/../new.txt"] {
            #expect(await transferError { try await write(stores, "file://\(path)") }?.code == .accessDenied, "\(path)")
        }
        #expect(other.names == ["secret.txt"] && other.text("secret.txt") == "secret")
    }

    @Test func `the web goes through the guard, and S3 does not`() async throws {
        let server = try S3Server()
        server.put("a", Self.bytes)
        let client = try HTTPClient()
        let stores = Stores(
            client: client, s3: S3Settings(endpoint: try HTTPURL(server.endpoint), region: server.settings.region),
            credentials: StaticCredentials(S3Server.credentials))
        #expect(try await read(stores, "s3://media/a") == Self.bytes)
        #expect(await transferError { _ = try await read(stores, server.url("a")) }?.code == .forbiddenAddress)
        #expect(await transferError { try await write(stores, server.url("a")) }?.code == .forbiddenAddress)
    }

    @Test func `a sink of the web holds no more than it may`() async throws {
        let sink = WebSink(try HTTPBench.client(), try HTTPURL("http://127.0.0.1:1/a"), limit: 10)
        try Self.bytes.withUnsafeBytes { try sink.write($0) }
        try [UInt8](repeating: 1, count: 2).withUnsafeBytes { try sink.rewrite($0, at: 8) }
        let late = await transferError { try [UInt8](repeating: 1, count: 1).withUnsafeBytes { try sink.write($0) } }
        #expect(late?.code == .tooLarge)
        let beyond = await transferError {
            try [UInt8](repeating: 1, count: 3).withUnsafeBytes { try sink.rewrite($0, at: 8) }
        }
        #expect(beyond?.code == .notSeekable)
        sink.abort()
        let after = await transferError { try await BlockingThread.run { try sink.finish() } }
        #expect(after?.code == .io)
    }
}
