extension S3Store {
    public func head(_ key: String) async throws -> ObjectInfo {
        let signed = try request(.head, key, headers: checksumMode)
        let reply = try await send(signed)
        guard let size = reply.headers["Content-Length"].flatMap({ Int64($0) }), size >= 0 else {
            throw TransferError(
                .badResponse, "the answer does not say how large the object is", request: signed.line,
                status: reply.status)
        }
        return ObjectInfo(key, size: size, reply.headers, now: session.clock.now)
    }

    public func read<R: Sendable>(
        _ key: String, range: Range<Int64>?, ifMatch etag: ETag?,
        _ body: @Sendable (ObjectContent) async throws -> R
    ) async throws -> R {
        var headers = range == nil ? checksumMode : [:]
        if let range {
            guard range.lowerBound >= 0, !range.isEmpty else {
                throw TransferError(.badRequest, "there are no bytes in the range", mayHaveTakenEffect: false)
            }
            let last = range.upperBound == .max ? "" : "\(range.upperBound - 1)"
            headers["Range"] = "bytes=\(range.lowerBound)-\(last)"
        }
        // A weak one never matches: it is compared below.
        if let etag, !etag.isWeak { headers["If-Match"] = etag.rawValue }
        let signed = try request(.get, key, headers: headers)
        let now = session.clock.now
        return try await withResponse(signed) { response in
            let (size, answered) = try Self.extent(of: response, range, signed.line)
            let info = ObjectInfo(key, size: size, response.headers, now: now)
            if let etag, info.etag != etag {
                throw TransferError(
                    .changed, "the object was replaced since it was opened", request: signed.line,
                    status: response.status, isRetryable: false)
            }
            let sum = info.checksums.first { $0.parts == nil && answered == 0..<size && response.status == 200 }
            let bytes = VerifiedBytes(
                body: response.body, length: answered.upperBound - answered.lowerBound, checksum: sum,
                line: signed.line)
            return try await body(ObjectContent(info: info, range: answered, bytes: bytes))
        }
    }

    /// The object's size, and what of it the answer holds.
    private static func extent(
        of response: HTTPResponse, _ range: Range<Int64>?, _ line: TransferError.RequestLine
    ) throws(TransferError) -> (size: Int64, range: Range<Int64>) {
        func malformed(_ message: String) -> TransferError {
            TransferError(.badResponse, message, request: line, status: response.status, isRetryable: false)
        }
        if response.status == 206, let range {
            guard let part = ContentRange(response.headers["Content-Range"]), let size = part.size,
                part.range == range.lowerBound..<max(range.lowerBound, min(range.upperBound, size))
            else { throw malformed("the answer holds another range than was asked for") }
            return (size, range.clamped(to: 0..<size))
        }
        guard response.status == 200, let size = response.contentLength, size >= 0 else {
            throw malformed("the answer does not say how large the object is")
        }
        if let range, range.lowerBound > 0 || range.upperBound < size {
            throw malformed("the server does not read ranges: it sent all of the object")
        }
        return (size, 0..<size)
    }

    public func put(_ key: String, _ bytes: [UInt8], options: ObjectOptions) async throws -> ObjectInfo {
        let sum = ObjectChecksum.of(bytes, checksumAlgorithm)
        var headers = try Self.headers(options)
        headers.add(sum.header.name, sum.header.value)
        if !options.overwrite { headers["If-None-Match"] = "*" }
        let signed = try request(.put, key, headers: headers, body: bytes)
        do {
            let reply = try await send(signed)
            try verify(sum, reply.headers[ObjectChecksum.crc32cHeader], signed.line)
            return ObjectInfo(
                key: key, size: Int64(bytes.count), etag: reply.headers["ETag"].map { ETag(lenient: $0) },
                lastModified: date(of: reply), contentType: options.contentType, checksums: [sum])
        } catch let error as TransferError where error.code == .exists && signed.attempts.count > 1 {
            // An attempt whose answer was lost may have put it there.
            guard let info = try? await head(key), info.size == Int64(bytes.count),
                info.checksums.contains(sum) || info.etag == ETag(md5: bytes)
            else { throw error }
            return info
        }
    }

    public func delete(_ key: String) async throws {
        do {
            _ = try await send(try request(.delete, key))
        } catch let error as TransferError where error.code == .notFound && error.serviceCode != .noSuchBucket {
            // S3 says 204 for what is not there, others 404.
        }
    }

    // MARK: Parts of requests and answers

    var checksumAlgorithm: ObjectChecksum.Algorithm { settings.checksum ?? .md5 }

    /// Asks for the checksums that the server keeps.
    private var checksumMode: HTTPHeaders {
        checksumAlgorithm == .crc32c ? ["x-amz-checksum-mode": "ENABLED"] : [:]
    }

    /// When the answer was made, by the server's clock.
    func date(of reply: HTTPReply) -> Double? {
        reply.headers["Date"].flatMap { HTTPDate.seconds($0, now: session.clock.now) }.map(Double.init)
    }

    static func headers(_ options: ObjectOptions) throws(TransferError) -> HTTPHeaders {
        var headers: HTTPHeaders = [:]
        headers["Content-Type"] = options.contentType
        headers["Content-Disposition"] = options.contentDisposition
        headers["Cache-Control"] = options.cacheControl
        for (name, value) in options.metadata.sorted(by: { $0.key < $1.key }) {
            headers["x-amz-meta-\(name)"] = value
        }
        return headers
    }

    /// Compares what the server has got with what was sent, where it says.
    func verify(
        _ sent: ObjectChecksum?, _ answered: String?, _ line: TransferError.RequestLine
    ) throws(TransferError) {
        guard let sent, sent.algorithm == .crc32c, let answered = ObjectChecksum.crc32c(answered),
            answered.parts == sent.parts
        else { return }
        guard answered.bytes == sent.bytes else {
            throw TransferError(
                .checksum, "what the server has is not what was sent, by its CRC32C", request: line)
        }
    }
}

extension ObjectInfo {
    /// What the head of an answer says about an object.
    init(_ key: String, size: Int64, _ headers: HTTPHeaders, now: Double) {
        self.init(
            key: key, size: size, etag: headers["ETag"].map { ETag(lenient: $0) },
            lastModified: headers["Last-Modified"].flatMap { HTTPDate.seconds($0, now: now) }.map(Double.init),
            contentType: headers["Content-Type"],
            checksums: ObjectChecksum.crc32c(headers[ObjectChecksum.crc32cHeader]).map { [$0] } ?? [],
            metadata: Self.metadata(headers))
    }

    private static func metadata(_ headers: HTTPHeaders) -> [String: String] {
        let fields = headers.fields.map { (name: $0.name.lowercased(), value: $0.value) }
            .filter { $0.name.hasPrefix("x-amz-meta-") }
        return Dictionary(
            fields.map { (String($0.name.dropFirst("x-amz-meta-".count)), $0.value) },
            uniquingKeysWith: { first, _ in first })
    }
}
