package import Transfer

/// An object in a ``S3Server``.
package struct S3Object: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// What the parts of an upload hold, one after another.
        case parts([[UInt8]])
        /// That many bytes, each of which follows from its offset: objects that do not fit in memory.
        case pattern(size: Int64)
        /// That many bytes, which are made when they are asked for: `make` gets a range within them.
        case made(size: Int64, make: @Sendable (Range<Int64>) -> [UInt8])
    }

    package var body: Body
    package var etag: ETag
    package var contentType: String?
    package var metadata: HTTPHeaders = [:]
    /// Seconds since 1970.
    package var modified: Double
    /// CRC32C, of the bytes or of the parts.
    package var checksum: String?

    package init(
        _ body: Body, etag: ETag? = nil, contentType: String? = nil, modified: Double = WallClock.now.rounded(.down)
    ) {
        self.body = body
        self.contentType = contentType
        self.modified = modified
        switch body {
        case .bytes(let bytes): self.etag = etag ?? ETag(rawValue: "\"\(S3Digest.hex(S3Digest.md5(bytes)))\"")
        case .parts(let parts):
            self.etag = etag ?? ETag(rawValue: "\"parts-\(parts.count)-\(parts.reduce(0) { $0 + $1.count })\"")
        case .pattern(let size): self.etag = etag ?? ETag(rawValue: "\"pattern-\(size)\"")
        case .made(let size, _): self.etag = etag ?? ETag(rawValue: "\"made-\(size)\"")
        }
    }

    package var size: Int64 {
        switch body {
        case .bytes(let bytes): Int64(bytes.count)
        case .parts(let parts): parts.reduce(0) { $0 + Int64($1.count) }
        case .pattern(let size), .made(let size, _): size
        }
    }

    /// `range` lies within the object.
    package func slice(_ range: Range<Int64>) -> [UInt8] {
        switch body {
        case .bytes(let bytes): Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        case .parts(let parts): Self.slice(range, of: parts)
        case .pattern: Self.pattern(range)
        case .made(_, let make): make(range)
        }
    }

    private static func slice(_ range: Range<Int64>, of parts: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var start: Int64 = 0
        for part in parts {
            let piece = range.clamped(to: start..<start + Int64(part.count))
            if !piece.isEmpty { bytes += part[Int(piece.lowerBound - start)..<Int(piece.upperBound - start)] }
            start += Int64(part.count)
        }
        return bytes
    }

    /// The bytes of a pattern at these offsets: no two stretches of it are alike.
    package static func pattern(_ range: Range<Int64>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            var offset = UInt64(range.lowerBound)
            for index in 0..<range.count {
                let mixed = (offset &+ 0x9E37_79B9) &* 0xFF51_AFD7_ED55_8CCD
                buffer[index] = UInt8(truncatingIfNeeded: mixed >> 40)
                offset &+= 1
            }
            count = range.count
        }
    }
}

/// An upload that a ``S3Server`` holds parts of.
package struct S3Upload: Sendable {
    package struct Part: Sendable {
        package var bytes: [UInt8]
        package var md5: [UInt8]
    }

    package var id: String
    package var key: String
    package var parts: [Int: Part] = [:]
    package var contentType: String?
    package var metadata: HTTPHeaders = [:]
    package var initiated: Double
}

/// What a ``S3Server`` holds.
struct S3Contents {
    struct Refusal: Error {
        var status: Int
        var code: String
        init(_ status: Int, _ code: String) {
            self.status = status
            self.code = code
        }
    }

    var objects: [String: S3Object] = [:]
    var uploads: [String: S3Upload] = [:]
    private var uploadCount = 0

    mutating func create(_ key: String, contentType: String?, metadata: HTTPHeaders, now: Double) -> String {
        uploadCount += 1
        // Letters that need care in a query.
        let id = "upload/\(uploadCount)+a=="
        uploads[id] = S3Upload(
            id: id, key: key, contentType: contentType, metadata: metadata, initiated: now)
        return id
    }

    mutating func putPart(_ number: Int, of id: String, key: String, _ bytes: [UInt8]) throws -> ETag {
        guard uploads[id]?.key == key else { throw Refusal(404, "NoSuchUpload") }
        guard (1...10_000).contains(number) else { throw Refusal(400, "InvalidArgument") }
        let md5 = S3Digest.md5(bytes)
        // Parts that are alike are kept once: an upload of gigabytes may be larger than the memory.
        let alike = uploads[id]?.parts.values.first { $0.md5 == md5 && $0.bytes == bytes }
        uploads[id]?.parts[number] = alike ?? S3Upload.Part(bytes: bytes, md5: md5)
        return ETag(rawValue: "\"\(S3Digest.hex(md5))\"")
    }

    /// - Parameter listed: numbers and ETags, as they were sent.
    mutating func complete(
        _ id: String, key: String, listed: [(number: Int, etag: String)], settings: S3Server.Settings, now: Double
    ) throws -> S3Object {
        guard let upload = uploads[id], upload.key == key else { throw Refusal(404, "NoSuchUpload") }
        guard !listed.isEmpty else { throw Refusal(400, "MalformedXML") }
        guard zip(listed, listed.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw Refusal(400, "InvalidPartOrder")
        }
        var parts: [S3Upload.Part] = []
        for (number, etag) in listed {
            guard let part = upload.parts[number], etag.filter({ $0 != "\"" }) == S3Digest.hex(part.md5) else {
                throw Refusal(400, "InvalidPart")
            }
            parts.append(part)
        }
        let sizes = parts.map(\.bytes.count)
        guard sizes.dropLast().allSatisfy({ $0 >= settings.smallestPart }) else { throw Refusal(400, "EntityTooSmall") }
        if settings.needsEqualParts {
            guard let first = sizes.first, sizes.dropLast().allSatisfy({ $0 == first }), (sizes.last ?? 0) <= first
            else { throw Refusal(400, "InvalidPart") }
        }
        let etag = "\"\(S3Digest.hex(S3Digest.md5(parts.flatMap(\.md5))))-\(parts.count)\""
        var object = S3Object(
            .parts(parts.map(\.bytes)), etag: ETag(rawValue: etag), contentType: upload.contentType,
            modified: now.rounded(.down))
        object.metadata = upload.metadata
        objects[key] = object
        uploads[id] = nil
        return object
    }

    /// Keys in the order of their UTF-8 bytes.
    func keys(prefix: String, after start: String?) -> [String] {
        objects.keys.filter { $0.hasPrefix(prefix) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .filter { key in start.map { $0.utf8.lexicographicallyPrecedes(key.utf8) } ?? true }
    }
}
