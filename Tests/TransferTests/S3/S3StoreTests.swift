import Locking
import Testing
import TransferTestSupport

@testable import Transfer

/// What the store makes of answers that are not plain successes, against the strict server.
@Suite struct S3StoreTests {
    private static let bytes = Array("some bytes of an object".utf8)

    // MARK: Failures that pass

    @Test(arguments: [
        S3Fault.status(503, code: "SlowDown"), .status(500, code: "InternalError"),
        .status(400, code: "RequestTimeout"),
        .status(429, code: "TooManyRequests"), .status(400, code: "BadDigest"), .reset,
    ]) func `what passes is tried again, with a signature of its own`(_ fault: S3Fault) async throws {
        let server = try S3Server { $0.index == 0 && $0.operation == .put ? fault : nil }
        let now = Locked(WallClock.now)
        let store = try S3Bench.store(server, client: try HTTPBench.client()) {
            now.withLock { now in
                now += 1
                return now
            }
        }
        _ = try await store.put("a", Self.bytes, options: ObjectOptions())
        #expect(server.bytes("a") == Self.bytes)
        let puts = server.requests(.put)
        #expect(puts.count == 2)
        #expect(Set(puts.compactMap { $0.raw.headers["x-amz-date"] }).count == 2)
        #expect(server.refusals == [])
    }

    @Test(arguments: [
        (403, "AccessDenied", TransferError.Code.accessDenied), (403, "SignatureDoesNotMatch", .accessDenied),
        (404, "NoSuchBucket", .notFound), (400, "InvalidArgument", .badRequest), (400, "EntityTooLarge", .tooLarge),
        (501, "NotImplemented", .unsupported), (409, "SomethingNew", .status),
    ]) func `what does not pass is thrown at once, with its code`(
        _ status: Int, _ code: String, _ expected: TransferError.Code
    ) async throws {
        let server = try S3Server { _ in .status(status, code: code) }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let error = await transferError { _ = try await store.put("a", Self.bytes, options: ObjectOptions()) }
        #expect(error?.code == expected)
        #expect(error?.serviceCode == TransferError.ServiceCode(rawValue: code))
        #expect(error?.isRetryable == false)
        #expect(error?.status == status)
        #expect(server.requests(.put).count == 1)
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("/media/a") && text.contains(code))
        #expect(!text.contains(S3Server.credentials.accessKeyID) && !text.contains("Signature="))
    }

    /// On a connection that was open already, libcurl sends a request again by itself.
    @Test(arguments: [false, true])
    func `a put whose answer was lost does not take its own object for another's`(isConnected: Bool) async throws {
        let server = try S3Server { $0.operation == .put && $0.index == 0 ? .loseAnswer : nil }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        if isConnected { try await store.delete("b") }
        let info = try await store.put("a", Self.bytes, options: ObjectOptions(overwrite: false))
        #expect(info.size == Int64(Self.bytes.count))
        #expect(server.bytes("a") == Self.bytes)
    }

    // MARK: Clocks

    @Test(arguments: [HTTPMethod.get, .head]) func `a clock that is off is corrected once and for all`(
        _ method: HTTPMethod
    ) async throws {
        let server = try S3Server()
        server.put("a", Self.bytes)
        let store = try S3Bench.store(server, client: try HTTPBench.client()) { WallClock.now - 7200 }
        func ask() async throws {
            if method == .head {
                #expect(try await store.head("a").size == Int64(Self.bytes.count))
            } else {
                #expect(try await S3Bench.read(store, "a") == Self.bytes)
            }
        }
        try await ask()
        #expect(server.requests.count == 2)
        try await ask()
        #expect(server.requests.count == 3)
    }

    @Test func `a refusal with the right time is no matter of clocks`() async throws {
        let server = try S3Server()
        let wrong = StaticCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wrong")
        let store = try S3Bench.store(server, client: try HTTPBench.client(), credentials: wrong)
        let error = await transferError { _ = try await store.head("a") }
        #expect(error?.code == .accessDenied)
        #expect(server.requests.count == 1)
    }

    // MARK: Credentials

    @Test func `credentials that the server calls expired are fetched again`() async throws {
        let server = try S3Server { $0.index == 0 ? .status(400, code: "ExpiredToken") : nil }
        let old = Credentials(
            accessKeyID: "AKIDOLD", secretAccessKey: "old", sessionToken: "t1", expires: WallClock.now + 3600)
        var new = S3Server.credentials
        new.expires = WallClock.now + 3600
        let provider = ScriptedCredentials([.success(old), .success(new)])
        let store = try S3Bench.store(server, client: try HTTPBench.client(), credentials: provider)
        _ = try await store.put("a", Self.bytes, options: ObjectOptions())
        #expect(provider.calls == 2)
        #expect(server.bytes("a") == Self.bytes)
        #expect(server.requests.map { $0.raw.headers["x-amz-security-token"] } == ["t1", nil])
    }

    // MARK: Uploads

    @Test(arguments: [ObjectChecksum.Algorithm.md5, .crc32c]) func `an object is made of parts`(
        _ checksum: ObjectChecksum.Algorithm
    ) async throws {
        let server = try S3Server()
        let store = try S3Bench.store(server, client: try HTTPBench.client(), checksum: checksum)
        let options = ObjectOptions(contentType: "video/mp4")
        let upload = try await store.createUpload("out/a b.mp4", options: options).id
        let pending = try await store.listUploads(prefix: "out/")
        #expect(pending.map(\.upload) == [upload] && pending.map(\.key) == ["out/a b.mp4"])
        let sizes = [5 << 20, 5 << 20, 3]
        var parts: [UploadedPart] = []
        for (index, size) in sizes.enumerated().reversed() {
            parts.append(
                try await store.uploadPart(
                    "out/a b.mp4", upload: upload, number: index + 1, [UInt8](repeating: UInt8(index), count: size)))
        }
        #expect(server.keys == [])
        let info = try await store.completeUpload("out/a b.mp4", upload: upload, parts: parts, options: options)
        #expect(info.size == Int64(sizes.reduce(0, +)))
        let head = try await store.head("out/a b.mp4")
        #expect(head.etag == info.etag && head.contentType == "video/mp4" && head.size == info.size)
        #expect(try await store.listUploads(prefix: "").isEmpty)
        #expect(server.refusals == [])
    }

    private func upload(_ store: S3Store, _ key: String) async throws -> (id: String, parts: [UploadedPart]) {
        let id = try await store.createUpload(key, options: ObjectOptions()).id
        return (id, [try await store.uploadPart(key, upload: id, number: 1, Self.bytes)])
    }

    @Test func `a completion that is answered by 200 and an error is tried again`() async throws {
        let server = try S3Server {
            $0.operation == .completeUpload && $0.index < 2 ? .errorWithOK(code: "InternalError") : nil
        }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let (id, parts) = try await upload(store, "a")
        _ = try await store.completeUpload("a", upload: id, parts: parts, options: ObjectOptions())
        #expect(server.bytes("a") == Self.bytes)
        #expect(server.requests(.completeUpload).count == 3)
    }

    @Test func `an error in an answer of 200 that does not pass is thrown`() async throws {
        let server = try S3Server { $0.operation == .completeUpload ? .errorWithOK(code: "InvalidPart") : nil }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let (id, parts) = try await upload(store, "a")
        let error = await transferError {
            _ = try await store.completeUpload("a", upload: id, parts: parts, options: ObjectOptions())
        }
        #expect(error?.serviceCode == .invalidPart)
        #expect(server.requests(.completeUpload).count == 1)
        #expect(server.keys == [])
    }

    @Test(arguments: [false, true])
    func `a completion whose answer was lost has taken effect, and that is found out`(overwrite: Bool) async throws {
        let server = try S3Server { $0.operation == .completeUpload && $0.index == 0 ? .loseAnswer : nil }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let (id, parts) = try await upload(store, "a")
        let info = try await store.completeUpload(
            "a", upload: id, parts: parts, options: ObjectOptions(overwrite: overwrite))
        #expect(info.etag == ETag(of: parts))
        #expect(server.bytes("a") == Self.bytes)
    }

    @Test func `an upload that is gone is an error if the object is another one`() async throws {
        let server = try S3Server()
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let (id, parts) = try await upload(store, "a")
        try await store.abortUpload("a", upload: id)
        try await store.abortUpload("a", upload: id)
        server.put("a", Self.bytes.reversed())
        let error = await transferError {
            _ = try await store.completeUpload("a", upload: id, parts: parts, options: ObjectOptions())
        }
        #expect(error?.serviceCode == .noSuchUpload)
        #expect(server.bytes("a") == Self.bytes.reversed())
    }

    // MARK: Reading

    @Test func `an answer that is cut short is an error, never a short object`() async throws {
        let server = try S3Server { $0.operation == .get ? .truncate(after: 10) : nil }
        server.put("a", Self.bytes)
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let error = await transferError { _ = try await S3Bench.read(store, "a") }
        #expect(error?.code == .connectionLost)
    }

    @Test(arguments: [S3Fault.ignoreRange, .shiftRange(by: 1)])
    func `an answer with other bytes than asked for is refused`(
        _ fault: S3Fault
    ) async throws {
        let server = try S3Server { $0.operation == .get ? fault : nil }
        server.put("a", Self.bytes)
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let error = await transferError { _ = try await S3Bench.read(store, "a", range: 2..<5) }
        #expect(error?.code == .badResponse)
    }

    @Test func `bytes that do not have the checksum they came with are refused`() async throws {
        let wrong = Base64.encoded(CRC32C.of(Array("others".utf8)))
        let right = Base64.encoded(CRC32C.of(Self.bytes))
        for (sum, code) in [(wrong, TransferError.Code.checksum as TransferError.Code?), (right, nil)] {
            let server = try HTTPBench.server { connection, request, _ in
                #expect(request.headers["x-amz-checksum-mode"] == "ENABLED")
                try connection.respond(200, headers: ["x-amz-checksum-crc32c": sum, "ETag": "\"1\""], body: Self.bytes)
            }
            let store = S3Store(
                bucket: "media",
                settings: S3Settings(endpoint: try HTTPURL(server.url()), region: "auto", checksum: .crc32c),
                credentials: StaticCredentials(S3Server.credentials), client: try HTTPBench.client())
            let error = await transferError { _ = try await S3Bench.read(store, "a") }
            #expect(error?.code == code)
        }
    }

    @Test func `a redirect is not followed with our signature`() async throws {
        let other = try S3Server()
        let server = try S3Server { _ in .redirect(301, to: other.url("a")) }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        let error = await transferError { _ = try await store.put("a", Self.bytes, options: ObjectOptions()) }
        #expect(error?.code == .badRedirect)
        #expect(other.requests.isEmpty)
    }

    // MARK: Presigned URLs

    @Test func `a presigned URL is all that is needed`() async throws {
        let server = try S3Server()
        let client = try HTTPBench.client()
        let store = try S3Bench.store(server, client: client)
        let put = try await store.presign(
            .put(contentType: "video/mp4", contentLength: Int64(Self.bytes.count)), "out/a b+é.mp4",
            expiresIn: .seconds(60))
        #expect(put.headers["Content-Type"] == "video/mp4")
        #expect(!"\(put)".contains("?"))
        _ = try await client.send(
            HTTPRequest(.put, try HTTPURL(put.url), headers: put.headers, body: .bytes(Self.bytes)))
        #expect(server.bytes("out/a b+é.mp4") == Self.bytes)
        let get = try await store.presign(.get(fileName: "ü \"a\".mp4"), "out/a b+é.mp4", expiresIn: .seconds(60))
        let reply = try await client.send(HTTPRequest(.get, try HTTPURL(get.url), headers: get.headers))
        #expect(reply.body == Self.bytes)
        #expect(server.refusals == [])
        for seconds in [0, 604_801] {
            let error = await transferError { _ = try await store.presign(.get(), "a", expiresIn: .seconds(seconds)) }
            #expect(error?.code == .badRequest)
        }
    }

    @Test func `a presigned URL ends with the credentials that signed it`() async throws {
        let server = try S3Server()
        var credentials = S3Server.credentials
        credentials.expires = WallClock.now + 1000
        let store = try S3Bench.store(
            server, client: try HTTPBench.client(), credentials: ScriptedCredentials([.success(credentials)]))
        #expect(try await store.presign(.get(), "a", expiresIn: .seconds(3600)).expires == credentials.expires)
    }
}

@Suite struct S3AddressTests {
    private func url(_ bucket: String, _ key: String?, _ settings: S3Settings) throws -> String {
        try S3Address(bucket: bucket, settings: settings).url(region: settings.region, key: key).text
    }

    @Test func `where objects are`() throws {
        let aws = S3Settings(region: "eu-central-1")
        #expect(try url("media", "a b/ü.mp4", aws) == "https://media.s3.eu-central-1.amazonaws.com/a%20b/%C3%BC.mp4")
        #expect(try url("my.media", "a", aws) == "https://s3.eu-central-1.amazonaws.com/my.media/a")
        #expect(try url("media", nil, aws) == "https://media.s3.eu-central-1.amazonaws.com/")
        #expect(
            try url("media", "a", S3Settings(region: "cn-north-1")) == "https://media.s3.cn-north-1.amazonaws.com.cn/a")
        let r2 = S3Settings(endpoint: try HTTPURL("https://acct.r2.cloudflarestorage.com"), region: "auto")
        #expect(try url("media", "a//../b", r2) == "https://acct.r2.cloudflarestorage.com/media/a//../b")
        let supabase = S3Settings(endpoint: try HTTPURL("https://p.storage.supabase.co/storage/v1/s3/"), region: "x")
        #expect(try url("media", "a", supabase) == "https://p.storage.supabase.co/storage/v1/s3/media/a")
        let minio = S3Settings(
            endpoint: try HTTPURL("http://minio:9000"), region: "us-east-1", addressing: .virtualHost)
        #expect(try url("media", "a", minio) == "http://media.minio:9000/a")
    }

    @Test func `names that are none`() throws {
        let settings = S3Settings(region: "eu-central-1")
        for bucket in ["", "a/b", "a?b", "..", "ü"] {
            #expect(throws: TransferError.self) { try url(bucket, "a", settings) }
        }
        #expect(throws: TransferError.self) { try url("media", "a", S3Settings(region: "eu.evil.com/")) }
    }

    @Test func `the region that AWS names is learned, and only there`() throws {
        func session(_ settings: S3Settings) -> S3Session {
            S3Session(
                S3Address(bucket: "media", settings: settings), credentials: StaticCredentials(S3Server.credentials)
            ) { 0 }
        }
        let aws = session(S3Settings(region: "us-east-1"))
        let attempts = S3Attempts(aws, key: "a", query: [], payload: .empty)
        var error = TransferError(
            .status, "400", status: 400,
            body: Array(
                "<?xml version=\"1.0\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
                    .utf8),
            isRetryable: false)
        attempts.classify(&error)
        #expect(error.isRetryable && !error.mayHaveTakenEffect)
        #expect(aws.region == "eu-west-1")
        // Once is enough.
        error.isRetryable = false
        attempts.classify(&error)
        #expect(!error.isRetryable)
        #expect(error.hint?.contains("eu-west-1") == true)

        let other = session(S3Settings(endpoint: try HTTPURL("https://minio.example"), region: "us-east-1"))
        #expect(!S3Attempts(other, key: "a", query: [], payload: .empty).moves(to: "eu-west-1"))
        #expect(other.region == "us-east-1")
    }
}
