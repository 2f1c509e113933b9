import ByteIO
import Testing
import Transfer
import TransferTestSupport

@Suite struct LocalStoreTests {
    private let folder: ScratchFolder
    private let store: LocalStore

    init() throws {
        folder = try ScratchFolder()
        store = try LocalStore(root: folder.path)
    }

    @Test(arguments: [
        "../a", "a/../../b", "a//b", "/a", "a/", "a/./b", "..", "a\0b", ".a.x.partial", "d/.b.y.partial/c",
        String(repeating: "x", count: 256),
    ]) func `keys that name no file below it are refused`(_ key: String) async throws {
        for code in [
            await transferError { _ = try await store.put(key, [1], options: ObjectOptions()) }?.code,
            await transferError { _ = try await store.head(key) }?.code,
            await transferError { try await store.delete(key) }?.code,
            await transferError { _ = try await store.sink(key) }?.code,
            await transferError { _ = try await store.source(key) }?.code,
        ] { #expect(code == .badRequest) }
        #expect(folder.names.isEmpty)
    }

    @Test func `links that lead out are not followed`() async throws {
        let outside = try ScratchFolder()
        try outside.write("secret.txt", "secret")
        try folder.link("out", to: outside.path)
        try folder.link("file.txt", to: outside.path + "/secret.txt")
        for key in ["out/secret.txt", "file.txt"] {
            for code in [
                await transferError { _ = try await store.head(key) }?.code,
                await transferError { _ = try await S3Bench.read(store, key) }?.code,
                await transferError { _ = try await store.source(key) }?.code,
                await transferError { _ = try await store.put(key, [1], options: ObjectOptions()) }?.code,
                await transferError { _ = try await store.sink(key) }?.code,
            ] { #expect(code == .accessDenied, "\(key)") }
        }
        #expect(
            await transferError { _ = try await store.put("out/new/a", [1], options: ObjectOptions()) }?.code
                == .accessDenied)
        #expect(await transferError { try await store.delete("out/secret.txt") }?.code == .accessDenied)
        #expect(outside.names == ["secret.txt"])
        #expect(outside.text("secret.txt") == "secret")
        #expect(try await store.list(prefix: "", from: nil, limit: 10).objects.isEmpty)
    }

    @Test func `links within it are followed, and removed rather than what they lead to`() async throws {
        try folder.write("real/a.txt", "hello")
        try folder.link("alias", to: folder.path + "/real")
        #expect(try await S3Bench.read(store, "alias/a.txt") == Array("hello".utf8))
        try folder.link("b.txt", to: folder.path + "/real/a.txt")
        try await store.delete("b.txt")
        #expect(folder.text("real/a.txt") == "hello")
        #expect(!folder.names.contains("b.txt"))
    }

    @Test func `the root may be a link itself`() async throws {
        let other = try ScratchFolder()
        try other.link("root", to: folder.path)
        let store = try LocalStore(root: other.path + "/root/")
        _ = try await store.put("a", [1], options: ObjectOptions())
        #expect(folder.names == ["a"])
        #expect(try await store.head("a").size == 1)
    }

    @Test func `what is not whole is neither there nor listed`() async throws {
        let sink = try await store.sink("d/a.mp4")
        try await BlockingThread.run { try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try sink.write($0) } }
        #expect(try await store.list(prefix: "", from: nil, limit: 10).objects.isEmpty)
        #expect(await transferError { _ = try await store.head("d/a.mp4") }?.code == .notFound)
        try await BlockingThread.run { try sink.finish() }
        #expect(try await store.list(prefix: "", from: nil, limit: 10).objects.map(\.key) == ["d/a.mp4"])
    }

    @Test func `folders go with the last object in them`() async throws {
        _ = try await store.put("a/b/c", [1], options: ObjectOptions())
        _ = try await store.put("a/d", [1], options: ObjectOptions())
        try await store.delete("a/b/c")
        #expect(folder.names == ["a", "a/d"])
        try await store.delete("a")
        #expect(folder.names == ["a", "a/d"])
        try await store.delete("a/d")
        #expect(folder.names.isEmpty)
    }

    @Test func `a file that is written into while it is read is an error`() async throws {
        try folder.write("a", String(repeating: "x", count: 600 << 10))
        let error = await transferError {
            try await store.read("a", range: nil, ifMatch: nil) { content in
                for try await _ in content.bytes { try folder.write("a", "other") }
            }
        }
        // `write` truncates it, and so fewer bytes come than there were.
        #expect(error?.code == .changed)
    }

    @Test func `a folder that is not there says so`() async throws {
        let store = try LocalStore(root: folder.path + "/none")
        let error = await transferError { _ = try await store.put("a", [1], options: ObjectOptions()) }
        #expect(error?.code == .io)
        #expect(error.map { "\($0)".contains("/none") } == true)
        #expect(throws: TransferError.self) { try LocalStore(root: "relative") }
    }
}

@Suite struct LocalSignerTests {
    private let folder: ScratchFolder
    private let store: LocalStore

    init() throws {
        folder = try ScratchFolder()
        let signer = try LocalSigner(
            secret: Array("0123456789abcdef".utf8), base: HTTPURL("https://kiln.example/files"))
        store = try LocalStore(root: folder.path, signer: signer)
    }

    @Test func `a URL is good for what was signed, until it expires`() async throws {
        let made = WallClock.now
        let signed = try await store.presign(.get(fileName: "ü.mp4"), "a b/é&=.mp4", expiresIn: .seconds(60))
        #expect(signed.url.hasPrefix("https://kiln.example/files/a%20b/"))
        let url = try HTTPURL(signed.url)
        for method in [HTTPMethod.get, .head] {
            let permit = try store.verify(method, url, headers: [:], now: made)
            #expect(permit.key == "a b/é&=.mp4" && permit.access == .get(fileName: "ü.mp4"))
        }
        #expect(throws: TransferError.self) { try store.verify(.put, url, headers: [:], now: made) }
        #expect(throws: TransferError.self) { try store.verify(.delete, url, headers: [:], now: made) }
        #expect(throws: TransferError.self) { try store.verify(.get, url, headers: [:], now: signed.expires) }
    }

    @Test func `a URL that was changed is good for nothing`() async throws {
        let url = try await store.presign(.get(), "a", expiresIn: .seconds(60)).url
        let digit = url.hasSuffix("0") ? "1" : "0"
        for changed in [
            url.replacing("/files/a?", with: "/files/b?"), url.replacing("expires=", with: "expires=9"),
            url + "&filename=x", url + "&expires=99999999999", String(url.dropLast()) + digit,
            String(url.prefix { $0 != "&" }), url.replacing("/files/", with: "/other/"), url + "&x=y",
        ] {
            let error = #expect(throws: TransferError.self) {
                try store.verify(.get, try HTTPURL(changed), headers: [:], now: WallClock.now)
            }
            #expect(error?.code == .accessDenied)
        }
        let stranger = try LocalStore(
            root: folder.path,
            signer: try LocalSigner(
                secret: Array("another secret!!".utf8), base: HTTPURL("https://kiln.example/files")))
        #expect(throws: TransferError.self) {
            try stranger.verify(.get, try HTTPURL(url), headers: [:], now: WallClock.now)
        }
    }

    @Test func `what is put must be of the type and length that were signed`() async throws {
        let signed = try await store.presign(
            .put(contentType: "video/mp4", contentLength: 5), "a", expiresIn: .seconds(60))
        let url = try HTTPURL(signed.url)
        #expect(try store.verify(.put, url, headers: signed.headers, now: WallClock.now).key == "a")
        for headers in [[:], ["Content-Type": "video/mp4"], ["Content-Type": "text/html", "Content-Length": "5"]]
            as [HTTPHeaders]
        {
            #expect(throws: TransferError.self) { try store.verify(.put, url, headers: headers, now: WallClock.now) }
        }
    }

    @Test func `what cannot be signed`() async throws {
        #expect(throws: TransferError.self) { try LocalSigner(secret: [1, 2, 3], base: HTTPURL("https://a/")) }
        #expect(
            await transferError { _ = try await store.presign(.get(), "../a", expiresIn: .seconds(1)) }?.code
                == .badRequest)
        let plain = try LocalStore(root: folder.path)
        #expect(
            await transferError { _ = try await plain.presign(.get(), "a", expiresIn: .seconds(1)) }?.code
                == .unsupported)
    }
}
