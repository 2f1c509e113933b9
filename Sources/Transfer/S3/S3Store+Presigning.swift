extension S3Store {
    /// - Parameter duration: 1 s to 7 days. With temporary credentials the URL ends when they do.
    public func presign(
        _ access: PresignedAccess, _ key: String, expiresIn duration: Duration
    ) async throws -> PresignedURL {
        let seconds = duration.components.seconds
        guard (1...604_800).contains(seconds) else {
            throw TransferError(
                .badRequest, "a presigned URL is good for 1 s to 7 days, not for \(duration)",
                mayHaveTakenEffect: false)
        }
        var query: [(name: String, value: String)] = []
        var headers: HTTPHeaders = [:]
        let method: HTTPMethod
        switch access {
        case .get(let fileName):
            method = .get
            if let fileName {
                query.append(("response-content-disposition", ContentDisposition.attachment(fileName)))
            }
        case .put(let contentType, let contentLength):
            method = .put
            headers["Content-Type"] = contentType
            headers["Content-Length"] = contentLength.map { "\($0)" }
        }
        try headers.validate()
        let (now, region) = (session.clock.now, session.region)
        let url = try session.address.url(region: region, key: key, query: query)
        let credentials = try await session.credentials.credentials()
        let signed = SigV4(credentials, region: region, time: now)
            .presigned(method, url, headers: headers, expiresIn: Int(seconds))
        let end = now.rounded(.down) + Double(seconds)
        return PresignedURL(url: signed.text, headers: headers, expires: min(end, credentials.expires ?? end))
    }
}

/// What a browser does with an answer. RFC 6266.
enum ContentDisposition {
    /// Saves it under a name: in ASCII for old browsers, and in UTF-8 (RFC 8187).
    static func attachment(_ fileName: String) -> String {
        let plain = fileName.unicodeScalars.map { scalar in
            scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F && !"\"\\%/".unicodeScalars.contains(scalar)
                ? String(scalar) : "_"
        }
        return "attachment; filename=\"\(plain.joined())\"; filename*=UTF-8''\(PercentEncoding.encoded(fileName))"
    }
}
