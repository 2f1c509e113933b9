/// Where a bucket's objects are: URLs for keys.
struct S3Address: Sendable {
    let bucket: String
    let settings: S3Settings

    /// - Parameters:
    ///   - key: `nil` for the bucket itself.
    ///   - query: names and values, not encoded.
    /// - Throws: ``TransferError`` with code `badURL` or `badRequest`.
    func url(
        region: String, key: String?, query: [(name: String, value: String)] = []
    ) throws(TransferError) -> HTTPURL {
        guard Self.isBucket(bucket) else {
            throw TransferError(
                .badURL, "this is no name of a bucket",
                hint: "buckets have letters, digits, dots, hyphens, underscores",
                mayHaveTakenEffect: false)
        }
        let endpoint: HTTPURL = if let given = settings.endpoint { given } else { try Self.amazon(region) }
        var path = endpoint.path
        while path.hasSuffix("/") { path.removeLast() }
        if !usesVirtualHost { path += "/" + bucket }
        if let key {
            try Self.validate(key)
            path += "/" + PercentEncoding.encoded(key) { PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "/") }
        }
        return try HTTPURL(
            scheme: endpoint.scheme, host: usesVirtualHost ? "\(bucket).\(endpoint.host)" : endpoint.host,
            port: endpoint.port, path: path, query: query.isEmpty ? nil : CanonicalRequest.query(query))
    }

    /// https://docs.aws.amazon.com/general/latest/gr/s3.html
    private static func amazon(_ region: String) throws(TransferError) -> HTTPURL {
        guard isRegion(region) else {
            throw TransferError(
                .badURL, "this is no name of a region", hint: "set the bucket's region, as \"eu-central-1\"",
                mayHaveTakenEffect: false)
        }
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        return try HTTPURL(scheme: .https, host: "s3.\(region).\(domain)")
    }

    private var usesVirtualHost: Bool {
        switch settings.addressing {
        case .virtualHost: true
        case .path: false
        // A certificate for *.s3.amazonaws.com is good for one label.
        case .automatic: settings.endpoint == nil && Self.isLabel(bucket)
        }
    }

    /// What S3 takes, that is 1 to 1024 bytes; without a key a request would be about the bucket.
    static func validate(_ key: String) throws(TransferError) {
        guard (1...1024).contains(key.utf8.count) else {
            throw TransferError(
                .badRequest, "a key is 1 to 1024 bytes long, this one \(key.utf8.count)", mayHaveTakenEffect: false)
        }
    }

    /// The names that S3 gives now, and those it gave once, with capital letters and underscores.
    /// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    static func isBucket(_ name: some StringProtocol) -> Bool {
        (1...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-._".utf8.contains($0) }
            && name != "." && name != ".."
    }

    static func isRegion(_ name: some StringProtocol) -> Bool {
        (1...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
    }

    private static func isLabel(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
            && name.utf8.allSatisfy {
                $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") || $0.isASCIIDigit || $0 == UInt8(ascii: "-")
            }
    }
}
