import Foundation
import JobQueue
import Testing
import Transfer

@testable import Server

/// A folder as the store of a server that answers for its URLs.
@Suite struct FolderTests {
    /// - Parameter body: is given the URL of an upload of five bytes, and the folder's path.
    private func withFolder(
        _ body: @escaping @Sendable (_ api: TestAPI, _ store: LocalStore) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/kiln-folder-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let signer = try LocalSigner(
            secret: Array("sixteen bytes or more".utf8), base: HTTPURL("http://localhost/v1/store"))
        let store = try LocalStore(root: path, signer: signer)
        let stores = Stores(client: try HTTPClient(), defaultStore: store)
        try await withAPI(settings: {
            $0.stores = stores
            $0.kinds = [KindDescription("work", makesFiles: true)]
            $0.uploads.largest = 4 << 20
        }) { api in
            try await body(api, store)
        }
    }

    /// The path and query of a URL.
    private func target(_ url: String) throws -> String {
        let url = try HTTPURL(url)
        return url.path + (url.query.map { "?" + $0 } ?? "")
    }

    private func send(
        _ api: TestAPI, _ method: HTTPMethod, _ target: String, _ body: [UInt8]? = nil, headers: HTTPHeaders = [:]
    ) async throws -> Reply {
        let text = body.map { String(decoding: $0, as: UTF8.self) }
        return try await api.send(method, target, text, headers: headers)
    }

    @Test func `A file is sent to the URL of an upload, and read by another, whole and in parts`() async throws {
        try await withFolder { api, store in
            let upload = try await api.post(
                "/v1/uploads", #"{"fileName": "talk.mp4", "contentType": "video/mp4", "contentLength": 10}"#)
            #expect(upload.status == 201, "\(upload.text)")
            let key = try #require(upload["key"]?.string)
            let place = try target(try #require(upload["url"]?.string))
            let type: HTTPHeaders = ["Content-Type": "video/mp4"]
            let sent = try await send(api, .put, place, Array("0123456789".utf8), headers: type)
            #expect(sent.status == 200, "\(sent.text)")
            #expect(try await store.head(key).size == 10)

            let link = try target(try await store.presign(.get(fileName: "a b.mp4"), key, expiresIn: .seconds(60)).url)
            let whole = try await api.get(link)
            #expect(whole.status == 200 && whole.text == "0123456789")
            #expect(whole.headers["Content-Type"] == "video/mp4" && whole.headers["ETag"] == sent.headers["ETag"])
            #expect(whole.headers["Content-Disposition"] == "attachment; filename=\"a-b.mp4\"")
            for (range, text, content) in [
                ("bytes=2-4", "234", "bytes 2-4/10"), ("bytes=7-", "789", "bytes 7-9/10"),
                ("bytes=-2", "89", "bytes 8-9/10"), ("bytes=8-99", "89", "bytes 8-9/10"),
            ] {
                let part = try await api.get(link, headers: ["Range": range])
                #expect(part.status == 206 && part.text == text && part.headers["Content-Range"] == content)
            }
            let behind = try await api.get(link, headers: ["Range": "bytes=10-"])
            #expect(behind.status == 416 && behind.headers["Content-Range"] == "bytes */10")
            let stale = try await api.get(link, headers: ["Range": "bytes=2-4", "If-Range": "\"other\""])
            #expect(stale.status == 200 && stale.text == "0123456789")
            let etag = try #require(whole.headers["ETag"])
            #expect(try await api.get(link, headers: ["If-None-Match": etag]).status == 304)
            let head = try await send(api, .head, link)
            #expect(head.status == 200 && head.headers["Content-Length"] == "10" && head.body.isEmpty)
        }
    }

    @Test func `What was not signed is refused, and leaves nothing`() async throws {
        try await withFolder { api, store in
            let type: HTTPHeaders = ["Content-Type": "video/mp4"]
            let signed = try await store.presign(
                .put(contentType: "video/mp4", contentLength: 5), "a/b.mp4", expiresIn: .seconds(60))
            let place = try target(signed.url)
            let five = Array("movie".utf8)
            let refusals = [
                try await send(api, .put, place, Array("longer".utf8), headers: type),
                try await send(api, .put, place, five, headers: ["Content-Type": "text/html"]),
                try await send(api, .put, place.replacing("b.mp4", with: "c.mp4"), five, headers: type),
                try await send(api, .put, place + "0", five, headers: type),
                try await send(api, .put, "/v1/store/a/b.mp4", five, headers: type),
                try await api.get(place),
            ]
            #expect(refusals.map(\.status) == [403, 403, 403, 403, 403, 403])
            #expect(try await api.get("/v1/store/a/b.mp4?signature=00&other=1").status == 400)
            #expect(try await store.list(prefix: "", from: nil, limit: 10).objects.isEmpty)
            // No key of the path leads out of the folder, whoever has signed it.
            #expect(
                try await api.get("/v1/store/..%2F..%2Fetc%2Fpasswd?expires=99999999999&signature=00").status == 403)
            #expect(try await send(api, .put, place, five, headers: type).status == 200)
            #expect(FileManager.default.contents(atPath: store.root + "/a/b.mp4") == Data(five))
        }
    }

    @Test func `A file that is larger than uploads may be is refused, and one that is missing is not there`()
        async throws
    {
        try await withFolder { api, store in
            let any = try target(try await store.presign(.put(), "large.bin", expiresIn: .seconds(60)).url)
            let large = try await send(api, .put, any, [UInt8](repeating: 0x41, count: 4 << 20 | 1))
            #expect(large.status == 413)
            #expect(!FileManager.default.fileExists(atPath: store.root + "/large.bin"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.root).isEmpty)
            let whole = try await send(api, .put, any, [UInt8](repeating: 0x41, count: 4 << 20))
            #expect(whole.status == 200)
            #expect(try await store.head("large.bin").size == 4 << 20)
            let missing = try target(try await store.presign(.get(), "none.mp4", expiresIn: .seconds(60)).url)
            #expect(try await api.get(missing).status == 404)
            let document = try await api.get("/openapi.json")
            #expect(document.status == 200 && !document.text.contains("/v1/store"))
        }
    }

    @Test func `A download of a job's result is redirected to the server itself`() async throws {
        try await withFolder { api, store in
            _ = try await store.put("rendered/a.mp4", Array("movie".utf8), options: ObjectOptions())
            let id = try await api.enqueue()
            try await withWorker(
                api,
                register: { worker in
                    worker.register("work") { (_: Job<JSONValue>) -> JSONValue in
                        [
                            "url": "store://rendered/a.mp4", "key": "rendered/a.mp4",
                            "outputs": [["url": "store://rendered/a.mp4"]],
                        ]
                    }
                }
            ) {
                try await api.queue.wait(for: id, timeout: .seconds(60))
            }
            let redirect = try await api.get("/v1/jobs/\(id.text)/download")
            #expect(redirect.status == 302, "\(redirect.text)")
            let file = try await api.get(try target(try #require(redirect.headers["Location"])))
            #expect(file.text == "movie")
        }
    }
}
