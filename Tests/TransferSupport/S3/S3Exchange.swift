import Glibc
import Locking
import Transfer

/// One request to a ``S3Server`` and its answer.
struct S3Exchange {
    let connection: RawConnection
    let settings: S3Server.Settings
    let state: Locked<S3Server.State>
    let fault: @Sendable (S3Request) -> S3Fault?

    /// - Returns: whether the connection may be used again.
    func answer(_ raw: RawRequest) throws -> Bool {
        guard var request = S3Request(raw, pathPrefix: settings.pathPrefix) else {
            try refuse(400, "InvalidURI", "the path or query is broken", isHead: raw.method == "HEAD")
            return false
        }
        state.withLock { state in
            request.index = state.counts[request.operation, default: 0]
            state.counts[request.operation] = request.index + 1
            state.requests.append(request)
        }
        var isArrivingPart = request.operation == .uploadPart
        if isArrivingPart {
            state.withLock {
                $0.partsArriving += 1
                $0.mostPartsArriving = max($0.mostPartsArriving, $0.partsArriving)
            }
        }
        // Before the answer: the client may be faster with the next than this thread with what comes after.
        func hasArrived() {
            if isArrivingPart { state.withLock { $0.partsArriving -= 1 } }
            isArrivingPart = false
        }
        defer { hasArrived() }
        let fault = fault(request)
        if case .resetUpload(let count)? = fault {
            _ = try connection.read(count)
            connection.reset()
            return false
        }
        let body = try readBody(request)
        if settings.latencyMilliseconds > 0 { usleep(UInt32(settings.latencyMilliseconds) * 1000) }
        switch fault {
        case .hold(let signal)?:
            signal.wait()
        case .silence?:
            connection.waitForClose()
            return false
        case .reset?:
            connection.reset()
            return false
        case .status(let status, let code, let headers)?:
            hasArrived()
            try respond(status, error: code, "as the test wants it", headers: headers, isHead: raw.method == "HEAD")
            return true
        case .errorWithOK(let code)?:
            try respond(200, error: code, "as the test wants it", isHead: false)
            return true
        case .redirect(let status, let location)?:
            try connection.respond(status, headers: ["Location": location])
            return true
        default: break
        }
        hasArrived()
        do {
            try verify(request, body)
            if case .loseAnswer? = fault {
                _ = try perform(request, body)
                connection.reset()
                return false
            }
            let answer = try perform(request, body)
            if case .holdAnswer(let signal, let done)? = fault {
                done.raise()
                signal.wait()
            }
            return try send(answer, request, fault)
        } catch let refusal as S3Signature.Refusal {
            try refuse(refusal.status, refusal.code, refusal.message, isHead: raw.method == "HEAD")
        } catch let refusal as S3Contents.Refusal {
            try respond(refusal.status, error: refusal.code, "no", isHead: raw.method == "HEAD")
        }
        return true
    }

    // MARK: Reading

    private func readBody(_ request: S3Request) throws -> [UInt8] {
        let raw = request.raw
        guard raw.method == "PUT" || raw.method == "POST" else { return try connection.readBody(of: raw) }
        guard let length = raw.headers["Content-Length"].flatMap({ Int($0) }) else {
            try refuse(411, "MissingContentLength", "bodies in chunks are not taken", isHead: false)
            throw RawServerError("a body without a length")
        }
        guard let bytesPerSecond = settings.bytesPerSecond else { return try connection.read(length) }
        var body: [UInt8] = []
        body.reserveCapacity(length)
        while body.count < length {
            let count = min(256 << 10, length - body.count)
            body += try connection.read(count)
            usleep(UInt32(count * 1_000_000 / bytesPerSecond))
        }
        return body
    }

    private func verify(_ request: S3Request, _ body: [UInt8]) throws {
        let headers = request.raw.headers
        let isSigned =
            headers["Authorization"] != nil || request["X-Amz-Signature"] != nil || settings.requiresSignature
        if isSigned {
            let signature = S3Signature(
                credentials: state.withLock { $0.credentials }, region: settings.region, now: settings.now())
            try signature.verify(request.raw, body: body)
        }
        guard request.bucket == settings.bucket else { throw S3Contents.Refusal(404, "NoSuchBucket") }
        if let md5 = headers["Content-MD5"], md5 != S3Digest.base64(S3Digest.md5(body)) {
            throw S3Contents.Refusal(400, "BadDigest")
        }
        if request.operation == .put || request.operation == .uploadPart, let crc = headers["x-amz-checksum-crc32c"],
            crc != S3Digest.base64(S3Digest.crc32c(body))
        {
            throw S3Contents.Refusal(400, "BadDigest")
        }
    }

    // MARK: Doing

    enum Answer {
        case empty(Int, HTTPHeaders)
        case xml(String, HTTPHeaders)
        case object(S3Object, S3Request.RangeAnswer)
    }

    private func perform(_ request: S3Request, _ body: [UInt8]) throws -> Answer {
        let key = request.key
        let headers = request.raw.headers
        let now = settings.now()
        return try state.withLock { state throws -> Answer in
            func refuseExisting() throws {
                if headers["If-None-Match"] == "*", state.contents.objects[key] != nil {
                    throw S3Contents.Refusal(412, "PreconditionFailed")
                }
            }
            switch request.operation {
            case .get, .head:
                guard let object = state.contents.objects[key] else { throw S3Contents.Refusal(404, "NoSuchKey") }
                if settings.obeysIfMatch, let etag = headers["If-Match"], etag != object.etag.rawValue {
                    throw S3Contents.Refusal(412, "PreconditionFailed")
                }
                return .object(object, request.operation == .head ? .all : request.range(of: object.size))
            case .put:
                try refuseExisting()
                var object = S3Object(.bytes(body), contentType: headers["Content-Type"], modified: now.rounded(.down))
                object.metadata = metadata(headers)
                object.checksum = headers["x-amz-checksum-crc32c"]
                state.contents.objects[key] = object
                return .empty(200, ["ETag": object.etag.rawValue])
            case .delete:
                state.contents.objects[key] = nil
                return .empty(204, [:])
            case .createUpload:
                let id = state.contents.create(
                    key, contentType: headers["Content-Type"], metadata: metadata(headers), now: now)
                return .xml(S3Document.created(bucket: settings.bucket, key: key, upload: id), [:])
            case .uploadPart:
                let etag = try state.contents.putPart(
                    request.partNumber ?? 0, of: request.uploadID ?? "", key: key, body)
                var answer: HTTPHeaders = ["ETag": etag.rawValue]
                answer["x-amz-checksum-crc32c"] = headers["x-amz-checksum-crc32c"]
                return .empty(200, answer)
            case .completeUpload:
                try refuseExisting()
                let object = try state.contents.complete(
                    request.uploadID ?? "", key: key, listed: S3Document.parts(body), settings: settings, now: now)
                return .xml(
                    S3Document.completed(bucket: settings.bucket, key: key, etag: object.etag.rawValue), [:])
            case .abortUpload:
                let id = request.uploadID ?? ""
                guard state.contents.uploads[id]?.key == key else { throw S3Contents.Refusal(404, "NoSuchUpload") }
                state.contents.uploads[id] = nil
                return .empty(204, [:])
            case .list: return .xml(S3Document.list(state.contents, request, bucket: settings.bucket), [:])
            case .listUploads: return .xml(S3Document.uploads(state.contents, request, bucket: settings.bucket), [:])
            case .listParts, .unknown: throw S3Contents.Refusal(501, "NotImplemented")
            }
        }
    }

    private func metadata(_ headers: HTTPHeaders) -> HTTPHeaders {
        HTTPHeaders(
            headers.fields.filter {
                let name = $0.name.lowercased()
                return name.hasPrefix("x-amz-meta-") || name == "cache-control" || name == "content-disposition"
            })
    }

    // MARK: Answering

    private func send(_ answer: Answer, _ request: S3Request, _ fault: S3Fault?) throws -> Bool {
        switch answer {
        case .empty(let status, let headers):
            try connection.respond(status, headers: common(headers))
            return true
        case .xml(let text, let headers):
            var headers = common(headers)
            headers["Content-Type"] = "application/xml"
            try connection.respond(200, headers: headers, body: Array(text.utf8))
            return true
        case .object(let object, let range):
            let body = S3ObjectAnswer(object: object, settings: settings, isHead: request.operation == .head)
            let (isReusable, sent) = try body.send(range, fault: fault, headers: common([:]), on: connection)
            state.withLock { $0.bodyBytesSent += sent }
            return isReusable
        }
    }

    private func common(_ headers: HTTPHeaders) -> HTTPHeaders {
        var headers = headers
        headers["x-amz-request-id"] = "TEST\(connection.number)"
        headers["Date"] = S3Digest.httpDate(settings.now())
        return headers
    }

    /// An answer to what a correct client does not send.
    private func refuse(_ status: Int, _ code: String, _ message: String, isHead: Bool) throws {
        state.withLock { $0.refusals.append("\(status) \(code): \(message)") }
        try respond(status, error: code, message, isHead: isHead)
    }

    private func respond(
        _ status: Int, error code: String, _ message: String, headers: HTTPHeaders = [:], isHead: Bool
    ) throws {
        var all = common(headers)
        all["Content-Type"] = "application/xml"
        let body = Array(S3Document.error(code, message).utf8)
        if isHead { all["Content-Length"] = "0" }
        try connection.respond(status, headers: all, body: isHead ? [] : body)
    }
}
