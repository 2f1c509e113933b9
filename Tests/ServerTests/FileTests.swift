import Foundation
import JobQueue
import PostgresTestSupport
import Locking
import Testing
import Transfer
import TransferTestSupport

@testable import Server

@Suite struct FileTests {
    @Test func `A file is sent to the store, worked on, and got from there`() async throws {
        let store = try TestStore()
        try await withAPI(settings: {
            $0.stores = store.stores
            $0.kinds = [KindDescription("media.burn_subtitles", makesFiles: true)]
        }) { (api) async throws in
            let upload = try await api.post(
                "/v1/uploads", #"{"fileName": "My talk.mp4", "contentType": "video/mp4", "contentLength": 5}"#)
            #expect(upload.status == 201, "\(upload.text)")
            let key = try #require(upload["key"]?.string)
            #expect(key.hasPrefix("uploads/") && key.hasSuffix("/My-talk.mp4"))
            #expect(upload["location"] == .string("store://\(key)") && upload["method"] == "PUT")
            var headers: HTTPHeaders = [:]
            for (name, value) in upload["headers"]?.members ?? [:] where name != "Content-Length" {
                headers[name] = value.string
            }
            let url = try HTTPURL(try #require(upload["url"]?.string))
            _ = try await api.client.send(
                HTTPRequest(.put, url, headers: headers, body: .text("movie"), destination: .trusted))
            #expect(store.server.bytes(key) == Array("movie".utf8))

            let id = try await api.enqueue("media.burn_subtitles")
            let path = "/v1/jobs/\(id.text)/download"
            #expect(try await api.get(path).status == 409, "it has not run")
            try await withWorker(
                api,
                register: { worker in
                    worker.register("media.burn_subtitles") { (_: Job<JSONValue>) -> JSONValue in
                        [
                            "url": .string("s3://media/\(key)"), "key": .string(key),
                            "outputs": [["url": .string("s3://media/\(key)")]],
                        ]
                    }
                }
            ) {
                try await api.queue.wait(for: id, timeout: .seconds(60))
            }
            let redirect = try await api.get(path)
            #expect(redirect.status == 302 && redirect.body.isEmpty, "\(redirect.text)")
            let place = try #require(redirect.headers["Location"])
            let file = try await api.client.send(HTTPRequest(.get, try HTTPURL(place), destination: .trusted))
            #expect(file.body == Array("movie".utf8))
            #expect(try await api.get(path + "?output=1").status == 409)
            #expect(try await api.get(path + "?output=-1").status == 400)
            let video = try await api.get("/api/video/job/\(id.text)")
            #expect(video["status"] == "completed" && video["progress"] == 100)
            let result = try HTTPURL(try #require(video["resultUrl"]?.string))
            #expect(
                try await api.client.send(HTTPRequest(.get, result, destination: .trusted)).body == Array("movie".utf8))
        }
        store.server.stop()
    }

    @Test func `What a job of another kind says is no reason to sign a URL`() async throws {
        let store = try TestStore()
        try await withAPI(settings: {
            $0.stores = store.stores
            $0.kinds = [KindDescription("media.burn_subtitles", makesFiles: true), KindDescription("http.request")]
        }) { (api) async throws in
            let ids = try await [api.enqueue("http.request"), api.enqueue("unheard.of")]
            let answer: @Sendable (Job<JSONValue>) async throws -> JSONValue = { _ in
                ["url": "s3://secrets/everything.tar", "publicURL": "https://evil.example/", "key": "private/key"]
            }
            try await withWorker(
                api,
                register: { worker in
                    worker.register("http.request", KindOptions(), answer)
                    worker.register("unheard.of", KindOptions(), answer)
                }
            ) {
                for id in ids { try await api.queue.wait(for: id, timeout: .seconds(60)) }
            }
            for id in ids {
                let refused = try await api.get("/v1/jobs/\(id.text)/download")
                #expect(refused.status == 409 && refused.headers["Location"] == nil, "\(refused.text)")
                #expect(!refused.text.contains("secrets"))
                #expect(try await api.get("/api/video/job/\(id.text)").status == 404)
            }
        }
        store.server.stop()
    }

    @Test func `A result whose store makes no URLs is told without one`() async throws {
        try await withAPI(settings: {
            $0.kinds = [KindDescription("media.burn_subtitles", makesFiles: true)]
            $0.stores = (try? HTTPClient()).map { Stores(client: $0) }
        }) { (api) async throws in
            let id = try await api.enqueue("media.burn_subtitles")
            try await withWorker(
                api,
                register: { worker in
                    worker.register("media.burn_subtitles") { (_: Job<JSONValue>) -> JSONValue in
                        ["url": "s3://media/a.mp4"]
                    }
                }
            ) {
                try await api.queue.wait(for: id, timeout: .seconds(60))
            }
            let told = try await api.get("/api/video/job/\(id.text)")
            #expect(told.status == 200 && told["status"] == "completed" && told["resultUrl"] == .null, "\(told.text)")
        }
    }

    @Test func `An upload is limited in size and type, and another size is refused by the store`() async throws {
        let store = try TestStore()
        try await withAPI(settings: {
            $0.stores = store.stores
            $0.uploads.largest = 1000
        }) { (api) async throws in
            func ask(_ name: String, _ type: String, _ length: Int) async throws -> Reply {
                try await api.post(
                    "/v1/uploads",
                    "{\"fileName\": \"\(name)\", \"contentType\": \"\(type)\", \"contentLength\": \(length)}")
            }
            #expect(try await ask("a.mp4", "video/mp4", 1001).pointers == ["/contentLength"])
            #expect(try await ask("a.mp4", "video/mp4", 0).pointers == ["/contentLength"])
            for type in [
                "text/html; x\\r\\nX-Evil: 1", "application/zip", "video", "video/mp4/x", "mp4", "image/png,text/html",
                "video/mp4; codecs=a;", "video/mp4 x",
                "image/svg+xml", "video/mp4;x", " video/mp4",
            ] {
                #expect(try await ask("a", type, 10).pointers == ["/contentType"], "\(type)")
            }
            #expect(try await ask("a", #"video/mp4;codecs=\"avc1,mp4a\""#, 10).status == 201)
            #expect(try await ask("a", "video/mp4; codecs=avc1", 10).status == 201)
            #expect(try await ask("", "video/mp4", 10).pointers == ["/fileName"])
            let odd = try await ask("../../etc/../.pass wd;rm", "video/mp4", 10)
            #expect(odd["key"]?.string?.hasSuffix("/pass-wd-rm") == true, "\(odd.text)")
            let url = try HTTPURL(try #require(odd["url"]?.string))
            let type: HTTPHeaders = ["Content-Type": "video/mp4"]
            let request = HTTPRequest(
                .put, url, headers: type, body: .text("eleven byte"), destination: .trusted,
                retries: HTTPRetryPolicy.none)
            await #expect(throws: TransferError.self) { try await api.client.send(request) }
            #expect(store.server.keys.isEmpty)
        }
        store.server.stop()
    }

    @Test func `An upload that is asked for twice with a key has one place`() async throws {
        let store = try TestStore()
        try await withAPI(settings: {
            $0.stores = store.stores
        }) { (api) async throws in
            let body = #"{"fileName": "a.mp4", "contentType": "video/mp4", "contentLength": 5}"#
            let first = try await api.post("/v1/uploads", body, headers: ["Idempotency-Key": "u"])
            let again = try await api.post("/v1/uploads", body, headers: ["Idempotency-Key": "u"])
            #expect(first.status == 201 && again.status == 201 && first["key"] == again["key"])
            #expect(try await !api.database.psql("SELECT * FROM kiln_api.idempotency").contains("Signature"))
        }
        store.server.stop()
    }

    @Test func `Without a store there is no place for files`() async throws {
        try await withAPI { (api) async throws in
            let upload = try await api.post(
                "/v1/uploads", #"{"fileName": "a.mp4", "contentType": "video/mp4", "contentLength": 5}"#)
            #expect(upload.status == 501 && upload.code == "no_store")
        }
    }
}
