package import ByteIO
package import Transfer

/// The least client of a ``S3Server`` that does: for tests of what lies above a store and not of the store itself.
/// Signs with the server's own code.
package struct PlainS3Store: MultipartStore {
    package var name: String { "s3://\(bucket)" }
    package var multipartLimits: MultipartLimits
    private let bucket: String
    private let endpoint: HTTPURL
    private let region: String
    private let client: HTTPClient

    /// - Parameter limits: parts as small as the server takes, if not given.
    package init(_ server: S3Server, client: HTTPClient, limits: MultipartLimits? = nil) throws {
        bucket = server.settings.bucket
        region = server.settings.region
        endpoint = try HTTPURL(server.endpoint)
        self.client = client
        multipartLimits = limits ?? MultipartLimits(smallestPart: Int64(server.settings.smallestPart))
    }

    private func request(
        _ method: HTTPMethod, _ key: String, query: [(String, String)] = [], headers: HTTPHeaders = [:],
        body: [UInt8] = []
    ) -> HTTPRequest {
        var url = endpoint
        url.path += "\(url.path.hasSuffix("/") ? "" : "/")\(bucket)"
        if !key.isEmpty { url.path += "/\(S3Encoding.encoded(key, keepingSlashes: true))" }
        url.query =
            query.isEmpty
            ? nil : query.map { "\(S3Encoding.encoded($0.0))=\(S3Encoding.encoded($0.1))" }.joined(separator: "&")
        var request = HTTPRequest(
            method, url, headers: headers, body: body.isEmpty ? .empty : .bytes(body), destination: .trusted,
            redirects: .none)
        request.prepare = { [region] request in
            let timestamp = S3Digest.timestamp(WallClock.now)
            request.headers["x-amz-date"] = timestamp
            request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
            let scope = "\(timestamp.prefix(8))/\(region)/s3/aws4_request"
            let names = (request.headers.fields.map { $0.name.lowercased() } + ["host"]).sorted()
            var headers = request.headers
            headers["host"] = request.url.authority
            let lines = headers.fields.map { "\r\n\($0.name): \($0.value)" }.joined()
            let head = "\(request.method) \(request.url.path)?\(request.url.query ?? "") HTTP/1.1\(lines)"
            let canonical = try S3Signature.canonical(
                RawRequest(head, connection: 0), query: query, names: names, payload: "UNSIGNED-PAYLOAD")
            let signer = S3Signature.Signer(
                secret: S3Server.credentials.secretAccessKey, timestamp: timestamp, scope: scope)
            request.headers["Authorization"] =
                "AWS4-HMAC-SHA256 Credential=\(S3Server.credentials.accessKeyID)/\(scope),"
                + "SignedHeaders=\(names.joined(separator: ";")),Signature=\(signer.signature(canonical))"
        }
        return request
    }

    // MARK: Objects

    private static func info(_ key: String, _ headers: HTTPHeaders, size: Int64? = nil) -> ObjectInfo {
        ObjectInfo(
            key: key, size: size ?? headers["Content-Length"].flatMap { Int64($0) } ?? 0,
            etag: headers["ETag"].map(ETag.init(rawValue:)), contentType: headers["Content-Type"])
    }

    package func head(_ key: String) async throws -> ObjectInfo {
        Self.info(key, try await client.send(request(.head, key)).headers)
    }

    package func read<R: Sendable>(
        _ key: String, range: Range<Int64>?, ifMatch etag: ETag?,
        _ body: @Sendable (ObjectContent) async throws -> R
    ) async throws -> R {
        var headers: HTTPHeaders = [:]
        if let range { headers["Range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)" }
        if let etag { headers["If-Match"] = etag.rawValue }
        return try await client.withResponse(request(.get, key, headers: headers)) { response in
            let contentRange = ContentRange(response.headers["Content-Range"])
            let size = contentRange?.size ?? response.contentLength ?? 0
            let content = ObjectContent(
                info: Self.info(key, response.headers, size: size), range: contentRange?.range ?? 0..<size,
                bytes: response.body)
            return try await body(content)
        }
    }

    package func put(_ key: String, _ bytes: [UInt8], options: ObjectOptions) async throws -> ObjectInfo {
        let reply = try await client.send(request(.put, key, headers: Self.headers(options), body: bytes))
        return Self.info(key, reply.headers, size: Int64(bytes.count))
    }

    package func delete(_ key: String) async throws { _ = try await client.send(request(.delete, key)) }

    package func list(prefix: String, from start: String?, limit: Int) async throws -> ObjectPage {
        throw TransferError(.unsupported, "not needed here")
    }
    package func presign(_ access: PresignedAccess, _ key: String, expiresIn: Duration) async throws -> PresignedURL {
        throw TransferError(.unsupported, "not needed here")
    }
    package func source(_ key: String, options: RangeSourceOptions) async throws -> any ByteSource {
        try await RangeSource(StoreObject(self, key: key, info: head(key)), options: options)
    }
    package func sink(_ key: String, options: ObjectOptions, upload: UploadOptions) async throws -> any ByteSink {
        try await MultipartSink(self, key: key, options: options, upload: upload)
    }

    private static func headers(_ options: ObjectOptions) -> HTTPHeaders {
        var headers: HTTPHeaders = [:]
        headers["content-type"] = options.contentType
        if !options.overwrite { headers["if-none-match"] = "*" }
        return headers
    }

    // MARK: Uploads

    package func createUpload(_ key: String, options: ObjectOptions) async throws -> NewUpload {
        var headers: HTTPHeaders = [:]
        headers["content-type"] = options.contentType
        let reply = try await client.send(request(.post, key, query: [("uploads", "")], headers: headers))
        var text = String(decoding: reply.body, as: UTF8.self)[...]
        guard let id = S3Document.take("UploadId", from: &text) else {
            throw TransferError(.badResponse, "no upload id")
        }
        return NewUpload(id: S3Document.unescaped(id))
    }

    package func uploadPart(
        _ key: String, upload: String, number: Int, _ bytes: [UInt8]
    ) async throws -> UploadedPart {
        let query = [("partNumber", "\(number)"), ("uploadId", upload)]
        let reply = try await client.send(request(.put, key, query: query, body: bytes))
        guard let etag = reply.headers["ETag"] else { throw TransferError(.badResponse, "no ETag") }
        return UploadedPart(number: number, etag: ETag(rawValue: etag), size: Int64(bytes.count))
    }

    package func completeUpload(
        _ key: String, upload: String, parts: [UploadedPart], options: ObjectOptions
    ) async throws -> ObjectInfo {
        let list = parts.map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\($0.etag)</ETag></Part>" }
        let body = "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>"
        var request = request(
            .post, key, query: [("uploadId", upload)],
            headers: options.overwrite ? [:] : ["if-none-match": "*"], body: Array(body.utf8))
        request.isIdempotent = true
        let reply = try await client.send(request)
        var text = String(decoding: reply.body, as: UTF8.self)[...]
        guard let etag = S3Document.take("ETag", from: &text) else {
            throw TransferError(.status, "the upload was not completed", isRetryable: true)
        }
        return ObjectInfo(
            key: key, size: parts.reduce(0) { $0 + $1.size }, etag: ETag(rawValue: S3Document.unescaped(etag)))
    }

    package func abortUpload(_ key: String, upload: String) async throws {
        do {
            _ = try await client.send(request(.delete, key, query: [("uploadId", upload)]))
        } catch let error as TransferError where error.code == .notFound {}
    }

    package func listUploads(prefix: String) async throws -> [PendingUpload] {
        let reply = try await client.send(request(.get, "", query: [("prefix", prefix), ("uploads", "")]))
        var text = String(decoding: reply.body, as: UTF8.self)[...]
        var uploads: [PendingUpload] = []
        while let item = S3Document.take("Upload", from: &text) {
            var key = item[...]
            var id = item[...]
            guard let key = S3Document.take("Key", from: &key), let id = S3Document.take("UploadId", from: &id) else {
                break
            }
            uploads.append(
                PendingUpload(key: S3Document.unescaped(key), upload: S3Document.unescaped(id), initiated: nil))
        }
        return uploads
    }
}
