import Transfer

/// A request to a ``S3Server``, as far as it could be understood.
package struct S3Request: Sendable {
    package enum Operation: String, Sendable {
        case get, head, put, delete, list
        case createUpload, uploadPart, completeUpload, abortUpload, listUploads, listParts
        case unknown
    }

    package let operation: Operation
    /// As it came over the wire.
    package let raw: RawRequest
    package let bucket: String
    /// Empty where the request is about the bucket.
    package let key: String
    /// Names and values, decoded.
    package let query: [(name: String, value: String)]
    /// How many requests of this operation came before, on any connection.
    package var index = 0

    /// `nil` if the target is not one that S3 would understand.
    init?(_ raw: RawRequest, pathPrefix: String) {
        self.raw = raw
        guard raw.path.hasPrefix(pathPrefix + "/") else { return nil }
        let path = raw.path.dropFirst(pathPrefix.count + 1)
        let slash = path.firstIndex(of: "/") ?? path.endIndex
        guard let bucket = S3Encoding.decoded(path[..<slash]), !bucket.isEmpty,
            let key = S3Encoding.decoded(path[slash...].dropFirst())
        else { return nil }
        self.bucket = bucket
        self.key = key
        var query: [(name: String, value: String)] = []
        for item in (raw.query ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = S3Encoding.decoded(parts[0]),
                let value = S3Encoding.decoded(parts.dropFirst().first ?? "")
            else { return nil }
            query.append((name, value))
        }
        self.query = query
        let names = Set(query.map(\.name))
        operation =
            switch raw.method {
            case "GET" where key.isEmpty && names.contains("uploads"): .listUploads
            case "GET" where key.isEmpty: .list
            case "GET" where names.contains("uploadId"): .listParts
            case "GET": .get
            case "HEAD": .head
            case "PUT" where names.isSuperset(of: ["uploadId", "partNumber"]): .uploadPart
            case "PUT" where !key.isEmpty: .put
            case "POST" where names.contains("uploads"): .createUpload
            case "POST" where names.contains("uploadId"): .completeUpload
            case "DELETE" where names.contains("uploadId"): .abortUpload
            case "DELETE" where !key.isEmpty: .delete
            default: .unknown
            }
    }

    package subscript(name: String) -> String? { query.first { $0.name == name }?.value }

    package var partNumber: Int? { self["partNumber"].flatMap { Int($0) } }
    package var uploadID: String? { self["uploadId"] }

    /// What the `Range` header asks for of an object of `size` bytes.
    package func range(of size: Int64) -> RangeAnswer {
        guard let text = raw.headers["Range"], text.hasPrefix("bytes=") else { return .all }
        let bounds = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard bounds.count == 2 else { return .all }
        switch (bounds[0], bounds[1]) {
        case (let first?, let last?) where first <= last && first < size: return .part(first..<min(last + 1, size))
        case (let first?, nil) where first < size: return .part(first..<size)
        case (nil, let count?) where count > 0 && size > 0: return .part(max(0, size - count)..<size)
        default: return .unsatisfiable
        }
    }

    package enum RangeAnswer: Equatable { case all, part(Range<Int64>), unsatisfiable }
}
