import Testing
import TransferTestSupport

@testable import Transfer

/// Uploads in parts against moto, an implementation of S3 that is not ours.
@Suite(.enabled(if: MotoServer.python != nil, Comment(rawValue: MotoServer.absence)))
struct MotoTests {
    @Test(arguments: [ObjectChecksum.Algorithm.md5, .crc32c]) func `an upload in parts`(
        _ checksum: ObjectChecksum.Algorithm
    ) async throws {
        let client = try HTTPBench.client()
        let store = try await MotoServer.shared().bucket(client: client, checksum: checksum)
        let key = "out/a b+é.mp4"
        let options = ObjectOptions(contentType: "video/mp4", metadata: ["title": "x"])
        let upload = try await store.createUpload(key, options: options).id
        let abandoned = try await store.createUpload(key, options: options).id
        #expect(Set(try await store.listUploads(prefix: key).map(\.upload)) == [upload, abandoned])
        #expect(try await store.listUploads(prefix: key).allSatisfy { $0.key == key })
        let pieces = [[UInt8](repeating: 1, count: 5 << 20), [2, 3]]
        var parts: [UploadedPart] = []
        for (index, piece) in pieces.enumerated() {
            parts.append(try await store.uploadPart(key, upload: upload, number: index + 1, piece))
        }
        let info = try await store.completeUpload(key, upload: upload, parts: parts, options: options)
        #expect(info.etag == ETag(of: parts))
        let head = try await store.head(key)
        #expect(head.size == 5 << 20 + 2 && head.etag == info.etag && head.contentType == "video/mp4")
        try await store.abortUpload(key, upload: abandoned)
        #expect(try await store.listUploads(prefix: "").isEmpty)
        #expect(try await S3Bench.read(store, key) == pieces.flatMap { $0 })
    }

    @Test func `parts that were never sent are refused`() async throws {
        let store = try await MotoServer.shared().bucket(client: try HTTPBench.client())
        let upload = try await store.createUpload("a", options: ObjectOptions()).id
        let part = UploadedPart(number: 1, etag: ETag(md5: [1]), size: 1)
        let error = await transferError {
            _ = try await store.completeUpload("a", upload: upload, parts: [part], options: ObjectOptions())
        }
        #expect(error?.serviceCode == .invalidPart)
    }

    @Test func `presigned URLs`() async throws {
        let client = try HTTPBench.client()
        let store = try await MotoServer.shared().bucket(client: client)
        let put = try await store.presign(.put(contentType: "text/vtt"), "a b.vtt", expiresIn: .seconds(60))
        _ = try await client.send(HTTPRequest(.put, try HTTPURL(put.url), headers: put.headers, body: .text("WEBVTT")))
        #expect(try await store.head("a b.vtt").contentType == "text/vtt")
        let get = try await store.presign(.get(fileName: "x.vtt"), "a b.vtt", expiresIn: .seconds(60))
        let reply = try await client.send(HTTPRequest(.get, try HTTPURL(get.url)))
        #expect(reply.body == Array("WEBVTT".utf8))
        #expect(reply.headers["Content-Disposition"]?.contains("x.vtt") == true)
    }
}
