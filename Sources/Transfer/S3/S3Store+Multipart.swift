extension S3Store {
    public func createUpload(_ key: String, options: ObjectOptions) async throws -> NewUpload {
        var headers = try Self.headers(options)
        if checksumAlgorithm == .crc32c { headers["x-amz-checksum-algorithm"] = checksumAlgorithm.rawValue }
        var signed = try request(.post, key, query: [("uploads", "")], headers: headers)
        // An answer that is lost leaves an upload that nobody knows, and no bytes in it: a twin for the ledger.
        signed.request.isIdempotent = true
        let reply = try await send(signed)
        let created = try S3XML.decode(
            S3XML.CreatedUpload.self, "InitiateMultipartUploadResult", reply, signed.line)
        guard !created.upload.isEmpty else {
            throw TransferError(.badResponse, "the new upload has no id", request: signed.line, status: reply.status)
        }
        return NewUpload(id: created.upload, mayHaveTwin: signed.attempts.count > 1)
    }

    public func uploadPart(
        _ key: String, upload: String, number: Int, _ bytes: [UInt8]
    ) async throws -> UploadedPart {
        let sum = ObjectChecksum.of(bytes, checksumAlgorithm)
        let signed = try request(
            .put, key, query: [("partNumber", "\(number)"), ("uploadId", upload)], headers: HTTPHeaders([sum.header]),
            body: bytes)
        let reply = try await send(signed)
        try verify(sum, reply.headers[ObjectChecksum.crc32cHeader], signed.line)
        guard let etag = reply.headers["ETag"] else {
            throw TransferError(
                .badResponse, "the part has no ETag", request: signed.line, status: reply.status)
        }
        return UploadedPart(
            number: number, etag: ETag(lenient: etag), size: Int64(bytes.count), checksum: sum)
    }

    public func completeUpload(
        _ key: String, upload: String, parts: [UploadedPart], options: ObjectOptions
    ) async throws -> ObjectInfo {
        guard !parts.isEmpty else {
            throw TransferError(.badRequest, "an upload without parts cannot be completed", mayHaveTakenEffect: false)
        }
        let parts = parts.sorted { $0.number < $1.number }
        var headers: HTTPHeaders = ["Content-Type": "application/xml"]
        if !options.overwrite { headers["If-None-Match"] = "*" }
        var signed = try request(
            .post, key, query: [("uploadId", upload)], headers: headers, body: try S3XML.completion(of: parts))
        // Whether an earlier attempt has done it is looked at below.
        signed.request.isIdempotent = true
        // Thousands of parts take their time, and not every server sends blanks meanwhile.
        var timeouts = client.configuration.timeouts
        timeouts.stall = timeouts.stall.map { max($0, .seconds(300)) }
        signed.request.timeouts = timeouts
        do {
            return try await complete(signed, key, parts, options)
        } catch let error as TransferError
            where error.serviceCode == .noSuchUpload || error.code == .exists && signed.attempts.count > 1
        {
            guard let info = try? await head(key), Self.isMade(info, of: parts) else { throw error }
            return info
        }
    }

    /// Sends the request until it is answered by a result: S3 begins with 200 and may go on with an error.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    private func complete(
        _ signed: SignedRequest, _ key: String, _ parts: [UploadedPart], _ options: ObjectOptions
    ) async throws -> ObjectInfo {
        var attempt = 1
        while true {
            let reply = try await send(signed)
            guard let document = S3XML.error(reply.body) else {
                let result = try S3XML.decode(
                    S3XML.CompletedUpload.self, "CompleteMultipartUploadResult", reply, signed.line)
                let sum = ObjectChecksum.composite(of: parts)
                try verify(sum, result.crc32c, signed.line)
                return ObjectInfo(
                    key: key, size: parts.reduce(0) { $0 + $1.size }, etag: result.etag.map { ETag(lenient: $0) },
                    lastModified: date(of: reply), contentType: options.contentType, checksums: sum.map { [$0] } ?? [])
            }
            let error = S3Errors.embedded(document, in: reply, signed.line)
            var generator = SystemRandomNumberGenerator()
            guard
                let delay = client.configuration.retries.delay(
                    after: error, attempt: attempt, isIdempotent: true, using: &generator)
            else { throw error }
            attempt += 1
            do { try await Task.sleep(for: delay) } catch {
                throw TransferError(
                    .cancelled, "the request was cancelled", request: signed.line, isRetryable: false)
            }
        }
    }

    /// Whether an object is the one that the parts make, by its size and a digest. Sizes alone prove nothing.
    private static func isMade(_ info: ObjectInfo, of parts: [UploadedPart]) -> Bool {
        guard info.size == parts.reduce(0, { $0 + $1.size }) else { return false }
        if let etag = ETag(of: parts), info.etag == etag { return true }
        return ObjectChecksum.composite(of: parts).map { info.checksums.contains($0) } ?? false
    }

    public func abortUpload(_ key: String, upload: String) async throws {
        do {
            _ = try await send(try request(.delete, key, query: [("uploadId", upload)]))
        } catch let error as TransferError where error.code == .notFound && error.serviceCode != .noSuchBucket {
            // It is gone, and that is what was wanted.
        }
    }
}
