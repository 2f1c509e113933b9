import Transfer

/// The XML that S3 answers with, and the little that it is sent.
enum S3Document {
    private static let head = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
    private static let namespace = #"xmlns="http://s3.amazonaws.com/doc/2006-03-01/""#

    static func error(_ code: String, _ message: String) -> String {
        head + "<Error><Code>\(code)</Code><Message>\(escaped(message))</Message><RequestId>TEST</RequestId></Error>"
    }

    static func created(bucket: String, key: String, upload: String) -> String {
        head + "<InitiateMultipartUploadResult \(namespace)><Bucket>\(bucket)</Bucket><Key>\(escaped(key))</Key>"
            + "<UploadId>\(escaped(upload))</UploadId></InitiateMultipartUploadResult>"
    }

    static func completed(bucket: String, key: String, etag: String) -> String {
        head + "<CompleteMultipartUploadResult \(namespace)><Bucket>\(bucket)</Bucket><Key>\(escaped(key))</Key>"
            + "<ETag>\(escaped(etag))</ETag></CompleteMultipartUploadResult>"
    }

    static func list(_ contents: S3Contents, _ request: S3Request, bucket: String) -> String {
        let limit = min(1000, request["max-keys"].flatMap { Int($0) } ?? 1000)
        let keys = contents.keys(
            prefix: request["prefix"] ?? "", after: request["continuation-token"] ?? request["start-after"])
        let page = keys.prefix(limit)
        let isEncoded = request["encoding-type"] == "url"
        var text = head + "<ListBucketResult \(namespace)><Name>\(bucket)</Name><KeyCount>\(page.count)</KeyCount>"
        if isEncoded { text += "<EncodingType>url</EncodingType>" }
        text += "<IsTruncated>\(keys.count > page.count)</IsTruncated>"
        if keys.count > page.count, let last = page.last {
            text += "<NextContinuationToken>\(escaped(last))</NextContinuationToken>"
        }
        for key in page {
            guard let object = contents.objects[key] else { continue }
            text += "<Contents><Key>\(escaped(isEncoded ? S3Encoding.encoded(key, keepingSlashes: true) : key))</Key>"
            text += "<LastModified>\(S3Digest.isoDate(object.modified))</LastModified>"
            text += "<ETag>\(escaped(object.etag.rawValue))</ETag><Size>\(object.size)</Size></Contents>"
        }
        return text + "</ListBucketResult>"
    }

    static func uploads(_ contents: S3Contents, _ request: S3Request, bucket: String) -> String {
        let prefix = request["prefix"] ?? ""
        let isEncoded = request["encoding-type"] == "url"
        let uploads = contents.uploads.values.filter { $0.key.hasPrefix(prefix) }
            .sorted { ($0.key, $0.id) < ($1.key, $1.id) }
        let marker = request["upload-id-marker"].map { (request["key-marker"] ?? "", $0) }
        let rest = uploads.filter { upload in marker.map { $0 < (upload.key, upload.id) } ?? true }
        let page = rest.prefix(min(1000, request["max-uploads"].flatMap { Int($0) } ?? 1000))
        var text = head + "<ListMultipartUploadsResult \(namespace)><Bucket>\(bucket)</Bucket>"
        if isEncoded { text += "<EncodingType>url</EncodingType>" }
        text += "<IsTruncated>\(rest.count > page.count)</IsTruncated>"
        if rest.count > page.count, let last = page.last {
            let key = isEncoded ? S3Encoding.encoded(last.key, keepingSlashes: true) : last.key
            text += "<NextKeyMarker>\(escaped(key))</NextKeyMarker>"
            text += "<NextUploadIdMarker>\(escaped(last.id))</NextUploadIdMarker>"
        }
        for upload in page {
            let key = isEncoded ? S3Encoding.encoded(upload.key, keepingSlashes: true) : upload.key
            text += "<Upload><Key>\(escaped(key))</Key>"
            text += "<UploadId>\(escaped(upload.id))</UploadId>"
            text += "<Initiated>\(S3Digest.isoDate(upload.initiated))</Initiated></Upload>"
        }
        return text + "</ListMultipartUploadsResult>"
    }

    /// Numbers and ETags of a `CompleteMultipartUpload`, in order.
    static func parts(_ body: [UInt8]) -> [(number: Int, etag: String)] {
        var text = String(decoding: body, as: UTF8.self)[...]
        var parts: [(number: Int, etag: String)] = []
        while let part = take("Part", from: &text) {
            var numberText = part[...]
            var etagText = part[...]
            guard let number = take("PartNumber", from: &numberText).flatMap({ Int($0) }),
                let etag = take("ETag", from: &etagText)
            else { return [] }
            parts.append((number, unescaped(etag)))
        }
        return parts
    }

    /// What lies between the next pair of these tags, which is cut off with all before it.
    static func take(_ name: String, from text: inout Substring) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"),
            let end = text[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        defer { text = text[end.upperBound...] }
        return String(text[start.upperBound..<end.lowerBound])
    }

    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, letter in
            switch letter {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(letter)
            }
        }
    }

    static func unescaped(_ text: String) -> String {
        text.replacing("&quot;", with: "\"").replacing("&#34;", with: "\"").replacing("&lt;", with: "<")
            .replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    }
}
