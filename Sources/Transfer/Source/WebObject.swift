import Locking

/// What a URL leads to.
///
/// It is opened by asking for its first bytes: presigned URLs are good for GET only, and a HEAD would cost a request.
/// Later answers must be of the same version: by a strong ETag, for which the server is asked to look, too (`If-Match`);
/// else by a weak one or `Last-Modified`; and by the length.
public struct WebObject: RangedObject {
    /// The URL without query and user info.
    public var name: String { request.url.description }
    private let client: HTTPClient
    private let request: HTTPRequest
    private let version = Locked<Version?>(nil)

    /// - Parameter request: a GET, with whatever headers the server wants; its `Range` and conditions are made here.
    public init(_ client: HTTPClient, _ request: HTTPRequest) {
        self.client = client
        var request = request
        request.method = .get
        request.acceptsCompression = false
        self.request = request
    }

    /// What tells one version from another.
    private struct Version: Sendable {
        var etag: ETag?
        var lastModified: String?
        var size: Int64?

        init(_ headers: HTTPHeaders, size: Int64?) {
            etag = headers["ETag"].map(ETag.init(rawValue:))
            lastModified = headers["Last-Modified"]
            self.size = size
        }

        /// Whether an answer with `other` may be of this version. What only one of them says does not count: caches in
        /// between leave things out.
        func mayBe(_ other: Version) -> Bool {
            if let size, let otherSize = other.size, size != otherSize { return false }
            // RFC 9110, §8.8.3.2: a weak tag and a strong one with the same text are the same version to us.
            if let etag, let otherETag = other.etag { return etag.opaque == otherETag.opaque }
            if let lastModified, let otherModified = other.lastModified { return lastModified == otherModified }
            return true
        }
    }

    // MARK: Opening

    public func open(first count: Int) async throws -> RangedObjectInfo {
        var request = request
        request.headers["Range"] = "bytes=0-\(max(1, count) - 1)"
        let info: RangedObjectInfo
        do {
            info = try await client.withResponse(request) { try await opened($0, count: max(1, count)) }
        } catch let error as TransferError where error.status == 416 {
            // There is no first byte.
            guard ContentRange(error.headers["Content-Range"])?.size ?? 0 == 0 else { throw error }
            info = RangedObjectInfo(size: 0, acceptsRanges: true)
        }
        return info
    }

    private func opened(_ response: HTTPResponse, count: Int) async throws -> RangedObjectInfo {
        switch response.status {
        case 206:
            let content = ContentRange(response.headers["Content-Range"])
            guard let range = content?.range, range.lowerBound == 0, range.count <= count else {
                throw other("the server sent other bytes than were asked for")
            }
            let version = Version(response.headers, size: content?.size)
            self.version.withLock { $0 = version }
            let head = await head(response.body, upTo: range.count)
            return info(version, acceptsRanges: version.size != nil, head: head)
        case 200:
            let version = Version(response.headers, size: response.contentLength)
            self.version.withLock { $0 = version }
            guard version.size ?? 0 <= Int64(count) else { return info(version, acceptsRanges: false, head: []) }
            // So small that it may be here already. Another byte than allowed shows that it is not.
            var whole: [UInt8] = []
            do {
                for try await chunk in response.body {
                    whole += chunk
                    if whole.count > count { return info(version, acceptsRanges: false, head: []) }
                }
            } catch let error as TransferError where error.isRetryable {
                return info(version, acceptsRanges: false, head: [])
            }
            var complete = version
            complete.size = Int64(whole.count)
            return info(complete, acceptsRanges: false, head: whole)
        default:
            throw other("the answer has the status \(response.status)")
        }
    }

    private func info(_ version: Version, acceptsRanges: Bool, head: [UInt8]) -> RangedObjectInfo {
        RangedObjectInfo(
            size: version.size, etag: version.etag, acceptsRanges: acceptsRanges,
            isPinned: version.etag != nil || version.lastModified != nil, head: head)
    }

    /// The first bytes, as far as they come: the rest is asked for again.
    private func head(_ body: HTTPResponseBody, upTo count: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await chunk in body {
                bytes += chunk.prefix(count - bytes.count)
                if bytes.count == count { break }
            }
        } catch {}
        return bytes
    }

    // MARK: Reading

    public func read(
        range: Range<Int64>?, ifMatch etag: ETag?, _ sink: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        var request = request
        if let range { request.headers["Range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)" }
        // Weak tags never match here: RFC 9110, §13.1.1.
        if let etag, !etag.isWeak { request.headers["If-Match"] = etag.rawValue }
        do {
            try await client.withResponse(request) { try await read($0, range: range, sink) }
        } catch let error as TransferError where error.status == 412 || error.status == 416 {
            // 416: it has become shorter.
            throw TransferError.changed(name)
        }
    }

    private func read(
        _ response: HTTPResponse, range: Range<Int64>?, _ sink: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let content = ContentRange(response.headers["Content-Range"])
        let isPart = response.status == 206
        guard isPart || response.status == 200 else { throw other("the answer has the status \(response.status)") }
        let version = Version(response.headers, size: isPart ? content?.size : response.contentLength)
        if let opened = self.version.withLock({ $0 }), !opened.mayBe(version) { throw TransferError.changed(name) }
        if let range {
            // A server that sends all of it has sent what was asked for, if that was the beginning.
            guard isPart ? content?.range == range : range.lowerBound == 0 else {
                throw other(
                    isPart ? "the server sent other bytes than were asked for" : "the server ignored the range")
            }
        } else if isPart {
            throw other("the server sent a part of what was asked for")
        }
        var left = range.map { Int64($0.count) } ?? version.size ?? .max
        let isCut = range != nil && !isPart
        for try await chunk in response.body {
            if Int64(chunk.count) > left {
                guard isCut else { throw other("the answer is longer than it said") }
                return try await sink(Array(chunk.prefix(Int(left))))
            }
            left -= Int64(chunk.count)
            try await sink(chunk)
            if isCut, left == 0 { return }
        }
        if range != nil || version.size != nil, left > 0 {
            var error = other("the answer ended \(left) bytes early")
            error.code = .connectionLost
            throw error
        }
    }

    private func other(_ message: String) -> TransferError {
        TransferError(.badResponse, message, request: request.line)
    }
}

extension ETag {
    /// Without the mark of a weak one.
    fileprivate var opaque: Substring { isWeak ? rawValue.dropFirst(2) : rawValue[...] }
}
