import Foundation
import XMLCoder

/// The documents that S3 speaks.
enum S3XML {
    // MARK: Answers

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    struct ErrorDocument: Decodable, Sendable {
        var code: String?
        var requestID: String?
        /// The right one, where the wrong one was asked.
        var region: String?

        enum CodingKeys: String, CodingKey {
            case code = "Code"
            case requestID = "RequestId"
            case region = "Region"
        }
    }

    struct CreatedUpload: Decodable {
        var upload: String
        enum CodingKeys: String, CodingKey { case upload = "UploadId" }
    }

    struct CompletedUpload: Decodable {
        var etag: String?
        var crc32c: String?
        enum CodingKeys: String, CodingKey {
            case etag = "ETag"
            case crc32c = "ChecksumCRC32C"
        }
    }

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    struct ObjectList: Decodable {
        struct Object: Decodable {
            var key: String
            var size: Int64
            var etag: String?
            var lastModified: String?
            enum CodingKeys: String, CodingKey {
                case key = "Key"
                case size = "Size"
                case etag = "ETag"
                case lastModified = "LastModified"
            }
        }
        var objects: [Object]?
        var isTruncated: Bool?
        var next: String?
        var encoding: String?
        enum CodingKeys: String, CodingKey {
            case objects = "Contents"
            case isTruncated = "IsTruncated"
            case next = "NextContinuationToken"
            case encoding = "EncodingType"
        }
    }

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    struct UploadList: Decodable {
        struct Upload: Decodable {
            var key: String
            var upload: String
            var initiated: String?
            enum CodingKeys: String, CodingKey {
                case key = "Key"
                case upload = "UploadId"
                case initiated = "Initiated"
            }
        }
        var uploads: [Upload]?
        var isTruncated: Bool?
        var nextKey: String?
        var nextUpload: String?
        var encoding: String?
        enum CodingKeys: String, CodingKey {
            case uploads = "Upload"
            case isTruncated = "IsTruncated"
            case nextKey = "NextKeyMarker"
            case nextUpload = "NextUploadIdMarker"
            case encoding = "EncodingType"
        }
    }

    /// Reads an answer whose outermost element has that name.
    ///
    /// - Throws: ``TransferError`` with code `badResponse`.
    static func decode<Document: Decodable>(
        _ type: Document.Type, _ name: String, _ reply: HTTPReply, _ line: TransferError.RequestLine
    ) throws(TransferError) -> Document {
        guard rootName(reply.body) == name, let document = decode(type, reply.body) else {
            throw TransferError(
                .badResponse, "the answer is no \(name) as S3 writes it",
                hint: "check that the endpoint is an S3 service",
                request: line, status: reply.status, body: reply.body)
        }
        return document
    }

    /// `nil` for what is no such document.
    static func error(_ body: [UInt8]) -> ErrorDocument? {
        rootName(body) == "Error" ? decode(ErrorDocument.self, body) : nil
    }

    private static func decode<Document: Decodable>(_ type: Document.Type, _ body: [UInt8]) -> Document? {
        let decoder = XMLDecoder()
        // Blanks at the ends of a key belong to it.
        decoder.trimValueWhitespaces = false
        return try? decoder.decode(type, from: Data(body))
    }

    /// The name of the outermost element, without its namespace's prefix; `nil` for what does not begin as XML does.
    static func rootName(_ body: [UInt8]) -> String? {
        var rest = body[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while true {
            rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
            guard rest.first == UInt8(ascii: "<"), let next = rest.dropFirst().first else { return nil }
            guard next == UInt8(ascii: "?") || next == UInt8(ascii: "!") else { break }
            // The declaration, a comment: nothing in them is of interest.
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return nil }
            rest = rest[(end + 1)...]
        }
        let name = rest.dropFirst().prefix { !" \t\r\n/>".utf8.contains($0) }
        return String(decoding: name, as: UTF8.self).split(separator: ":").last.map(String.init)
    }

    // MARK: Requests

    private struct CompleteMultipartUpload: Encodable {
        struct Part: Encodable {
            var number: Int
            var etag: String
            var crc32c: String?
            enum CodingKeys: String, CodingKey {
                case number = "PartNumber"
                case etag = "ETag"
                case crc32c = "ChecksumCRC32C"
            }
        }
        var parts: [Part]
        enum CodingKeys: String, CodingKey { case parts = "Part" }
    }

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    static func completion(of parts: [UploadedPart]) throws(TransferError) -> [UInt8] {
        let document = CompleteMultipartUpload(
            parts: parts.map { part in
                .init(
                    number: part.number, etag: part.etag.rawValue,
                    crc32c: part.checksum.flatMap { $0.algorithm == .crc32c ? Base64.encoded($0.bytes) : nil })
            })
        do {
            return Array(
                try XMLEncoder().encode(
                    document, withRootKey: "CompleteMultipartUpload",
                    rootAttributes: ["xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"]))
        } catch {
            throw TransferError(.internal, "the list of an upload's parts cannot be written as XML", cause: error)
        }
    }
}
