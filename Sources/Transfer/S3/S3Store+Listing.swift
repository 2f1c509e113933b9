extension S3Store {
    public func list(prefix: String, from start: String?, limit: Int) async throws -> ObjectPage {
        guard (1...1000).contains(limit) else {
            throw TransferError(
                .badRequest, "a page of a listing has 1 to 1000 objects, not \(limit)", mayHaveTakenEffect: false)
        }
        // XML cannot hold every letter that a key can, and so keys are asked for in percent-encoding.
        var query = [("list-type", "2"), ("encoding-type", "url"), ("max-keys", "\(limit)")]
        if !prefix.isEmpty { query.append(("prefix", prefix)) }
        if let start { query.append(("continuation-token", start)) }
        let signed = try request(.get, nil, query: query)
        let reply = try await send(signed, limit: Self.listingLimit)
        let list = try S3XML.decode(S3XML.ObjectList.self, "ListBucketResult", reply, signed.line)
        let objects = (list.objects ?? []).map { object in
            ObjectInfo(
                key: Self.key(object.key, list.encoding), size: object.size,
                etag: object.etag.map { ETag(lenient: $0) },
                lastModified: object.lastModified.flatMap(AmazonDate.seconds))
        }
        guard list.isTruncated == true else { return ObjectPage(objects: objects) }
        guard let next = list.next, !next.isEmpty else {
            throw TransferError(
                .badResponse, "the listing goes on and does not say where", request: signed.line, status: reply.status)
        }
        return ObjectPage(objects: objects, next: next)
    }

    public func listUploads(prefix: String) async throws -> [PendingUpload] {
        var uploads: [PendingUpload] = []
        var marker: (key: String, upload: String)?
        while true {
            var query = [("uploads", ""), ("encoding-type", "url"), ("max-uploads", "1000")]
            if !prefix.isEmpty { query.append(("prefix", prefix)) }
            if let marker { query += [("key-marker", marker.key), ("upload-id-marker", marker.upload)] }
            let signed = try request(.get, nil, query: query)
            let reply = try await send(signed, limit: Self.listingLimit)
            let list = try S3XML.decode(S3XML.UploadList.self, "ListMultipartUploadsResult", reply, signed.line)
            uploads += (list.uploads ?? []).map { upload in
                PendingUpload(
                    key: Self.key(upload.key, list.encoding), upload: upload.upload,
                    initiated: upload.initiated.flatMap(AmazonDate.seconds))
            }
            guard list.isTruncated == true else { return uploads }
            let next = (Self.key(list.nextKey ?? "", list.encoding), list.nextUpload ?? "")
            guard !next.0.isEmpty, marker.map({ $0 != next }) ?? true else {
                throw TransferError(
                    .badResponse, "the listing goes on and does not say where", request: signed.line,
                    status: reply.status)
            }
            marker = next
        }
    }

    /// Bytes of a page: a thousand keys of 1024 bytes, percent-encoded, and what is around them.
    private static let listingLimit = 8 << 20

    /// A key as a listing has it. S3 writes a blank as "+" there.
    private static func key(_ text: String, _ encoding: String?) -> String {
        guard encoding == "url" else { return text }
        return PercentEncoding.decoded(String(text.map { $0 == "+" ? " " : $0 }))
    }
}
