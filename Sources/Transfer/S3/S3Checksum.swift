import Crypto

extension ObjectChecksum {
    /// That of `bytes`.
    package static func of(_ bytes: [UInt8], _ algorithm: Algorithm) -> ObjectChecksum {
        switch algorithm {
        case .crc32c: ObjectChecksum(.crc32c, CRC32C.of(bytes))
        case .md5: ObjectChecksum(.md5, Array(Insecure.MD5.hash(data: bytes)))
        }
    }

    /// The header that has a server verify it.
    var header: HTTPHeaders.Field {
        switch algorithm {
        case .crc32c: .init(name: Self.crc32cHeader, value: Base64.encoded(bytes))
        case .md5: .init(name: "Content-MD5", value: Base64.encoded(bytes))
        }
    }

    static let crc32cHeader = "x-amz-checksum-crc32c"

    /// The one of an object made of parts: over the checksums of them. `nil` if not all have one.
    /// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    static func composite(of parts: [UploadedPart]) -> ObjectChecksum? {
        let sums = parts.compactMap { $0.checksum?.algorithm == .crc32c ? $0.checksum?.bytes : nil }
        guard sums.count == parts.count, !sums.isEmpty else { return nil }
        return ObjectChecksum(.crc32c, CRC32C.of(sums.flatMap { $0 }), parts: parts.count)
    }

    /// "yZRlqg==", or "yZRlqg==-3" for one over three parts; `nil` for anything else.
    static func crc32c(_ text: String?) -> ObjectChecksum? {
        guard let text else { return nil }
        let pieces = text.split(separator: "-", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let bytes = Base64.decoded(pieces[0]), bytes.count == 4 else { return nil }
        guard pieces.count == 2 else { return ObjectChecksum(.crc32c, bytes) }
        return Int(pieces[1]).map { ObjectChecksum(.crc32c, bytes, parts: $0) }
    }
}

extension ETag {
    /// As S3 makes it of an object that was written at once: the MD5 of its bytes.
    init(md5 bytes: [UInt8]) { self.init(rawValue: "\"\(Hex.encoded(Insecure.MD5.hash(data: bytes)))\"") }

    /// As S3 makes it of parts: the MD5 over their MD5s, and their number. `nil` if a part's is no MD5, as with keys
    /// of KMS.
    init?(of parts: [UploadedPart]) {
        var digests: [UInt8] = []
        for part in parts {
            guard let digest = Hex.decoded(part.etag.rawValue.filter { $0 != "\"" }), digest.count == 16 else {
                return nil
            }
            digests += digest
        }
        self.init(rawValue: "\"\(Hex.encoded(Insecure.MD5.hash(data: digests)))-\(parts.count)\"")
    }

    /// With its quotes, which some servers leave out of XML.
    init(lenient text: String) { self.init(rawValue: text.contains("\"") ? text : "\"\(text)\"") }
}

/// An object's bytes, of which nothing may be missing, too much, or other than the server says.
struct VerifiedBytes: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    let body: HTTPResponseBody
    /// In bytes.
    let length: Int64
    /// Of all of them, where there is one.
    let checksum: ObjectChecksum?
    let line: TransferError.RequestLine

    struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        var base: HTTPResponseBody.AsyncIterator
        var remaining: Int64
        var crc: CRC32C?
        let expected: ObjectChecksum?
        let line: TransferError.RequestLine

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await base.next() else {
                guard remaining == 0 else {
                    throw TransferError(
                        .connectionLost, "the answer ended \(remaining) bytes before its end", request: line)
                }
                if let expected, let crc, crc.bytes != expected.bytes {
                    throw TransferError(
                        .checksum, "what arrived is not what the server has, by its CRC32C", request: line)
                }
                return nil
            }
            remaining -= Int64(chunk.count)
            guard remaining >= 0 else {
                throw TransferError(.badResponse, "the answer is longer than it says", request: line)
            }
            crc?.update(chunk)
            return chunk
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            base: body.makeAsyncIterator(), remaining: length, crc: checksum == nil ? nil : CRC32C(),
            expected: checksum, line: line)
    }
}
