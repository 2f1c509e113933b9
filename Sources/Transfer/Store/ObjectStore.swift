public import ByteIO

/// A place that keeps objects by key: a bucket, a folder.
///
/// Keys are UTF-8 of 1 to 1024 bytes; "/" in them is a letter like any other to a bucket, and a folder to a file
/// system. An object is replaced as a whole, and visible only when it is whole.
///
/// All calls throw ``TransferError``: `notFound` where there is no such object, `accessDenied`, `throttled`, …
public protocol ObjectStore: Sendable {
    /// For messages and ledgers, unique among a program's stores: "s3://bucket", "file:///srv/media". Holds no
    /// credentials.
    var name: String { get }

    /// What is known about an object.
    func head(_ key: String) async throws -> ObjectInfo

    /// Reads an object, or a range of it, as it arrives.
    ///
    /// - Parameters:
    ///   - range: bytes from the start, cut at the object's end; `nil` for all. One that begins at the end or behind it
    ///     is `badRequest`.
    ///   - etag: if given, an object with another one is an error of code `changed`.
    ///   - body: gets the object; good within the closure only. What it throws is thrown unchanged.
    func read<R: Sendable>(
        _ key: String, range: Range<Int64>?, ifMatch etag: ETag?,
        _ body: @Sendable (ObjectContent) async throws -> R
    ) async throws -> R

    /// Writes an object of a size that fits in memory, at once.
    func put(_ key: String, _ bytes: [UInt8], options: ObjectOptions) async throws -> ObjectInfo

    /// Removes an object; that there is none is no error.
    func delete(_ key: String) async throws

    /// Objects whose keys begin with `prefix`.
    ///
    /// - Parameters:
    ///   - start: `next` of the page before.
    ///   - limit: 1...1000.
    func list(prefix: String, from start: String?, limit: Int) async throws -> ObjectPage

    /// A URL by which whoever has it can read or write the object until it expires.
    func presign(_ access: PresignedAccess, _ key: String, expiresIn: Duration) async throws -> PresignedURL

    /// A source that reads the object by ranges, pinned to the content that it has now.
    func source(_ key: String, options: RangeSourceOptions) async throws -> any ByteSource

    /// A sink whose bytes become the object when it is finished.
    func sink(_ key: String, options: ObjectOptions, upload: UploadOptions) async throws -> any ByteSink
}

/// An object that is being read.
public struct ObjectContent: Sendable {
    /// Of the whole object.
    public var info: ObjectInfo
    /// What of it is here, in bytes from its start.
    public var range: Range<Int64>
    /// Chunks as they arrive, `range.count` bytes in all; fewer are an error.
    public var bytes: any AsyncSequence<[UInt8], any Error> & Sendable

    /// For stores, which hand it to the body of `read`.
    public init(info: ObjectInfo, range: Range<Int64>, bytes: any AsyncSequence<[UInt8], any Error> & Sendable) {
        self.info = info
        self.range = range
        self.bytes = bytes
    }
}

/// What a presigned URL allows.
public enum PresignedAccess: Sendable, Hashable {
    /// - Parameter fileName: what a browser saves it as; `nil` leaves that to it.
    case get(fileName: String? = nil)
    /// - Parameters:
    ///   - contentType: the only one that is taken; `nil` for any.
    ///   - contentLength: the only one that is taken, in bytes; `nil` for any.
    case put(contentType: String? = nil, contentLength: Int64? = nil)
}

/// A URL that is a key in itself: whoever has it needs no other. Its text is shown by nothing but `url`.
public struct PresignedURL: Sendable, CustomStringConvertible {
    /// With the signature. Not for logs.
    public var url: String
    /// Headers that must be sent exactly like this.
    public var headers: HTTPHeaders
    /// Seconds since 1970.
    public var expires: Double

    /// - Parameter expires: seconds since 1970.
    public init(url: String, headers: HTTPHeaders = [:], expires: Double) {
        self.url = url
        self.headers = headers
        self.expires = expires
    }

    /// Without the query.
    public var description: String { String(url.prefix { $0 != "?" }) }
}

/// A store that takes an object in parts, which become visible together.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
public protocol MultipartStore: ObjectStore {
    /// What parts it takes.
    var multipartLimits: MultipartLimits { get }

    /// Creates an upload, which holds no parts yet.
    func createUpload(_ key: String, options: ObjectOptions) async throws -> NewUpload

    /// Sends a part, whose checksum the server verifies.
    ///
    /// - Parameter number: from 1.
    func uploadPart(_ key: String, upload: String, number: Int, _ bytes: [UInt8]) async throws -> UploadedPart

    /// Makes the object of the parts. Idempotent: an upload that was completed before is no error if the object is
    /// the one that the parts make.
    func completeUpload(
        _ key: String, upload: String, parts: [UploadedPart], options: ObjectOptions
    ) async throws -> ObjectInfo

    /// Throws away an upload; that there is none is no error.
    func abortUpload(_ key: String, upload: String) async throws

    /// Uploads that are neither completed nor aborted, with keys that begin with `prefix`.
    func listUploads(prefix: String) async throws -> [PendingUpload]
}

/// An upload that was just created.
public struct NewUpload: Sendable, Hashable {
    /// The upload's id.
    public var id: String
    /// Whether there may be an empty one besides, whose id was lost along with the answer to an earlier attempt.
    public var mayHaveTwin: Bool

    /// For stores, which answer with it.
    public init(id: String, mayHaveTwin: Bool = false) {
        self.id = id
        self.mayHaveTwin = mayHaveTwin
    }
}

/// A part that the store has.
public struct UploadedPart: Sendable, Hashable {
    /// From 1.
    public var number: Int
    /// What the store answered; it is named again when the upload is completed.
    public var etag: ETag
    /// In bytes.
    public var size: Int64
    /// What was sent along with the part, where the store verified one.
    public var checksum: ObjectChecksum?

    /// - Parameter size: in bytes.
    public init(number: Int, etag: ETag, size: Int64, checksum: ObjectChecksum? = nil) {
        self.number = number
        self.etag = etag
        self.size = size
        self.checksum = checksum
    }
}

/// An upload that a store holds parts of.
public struct PendingUpload: Sendable, Hashable {
    /// The object's key, not encoded.
    public var key: String
    /// The upload's id; a key may have several.
    public var upload: String
    /// Seconds since 1970.
    public var initiated: Double?

    /// - Parameter initiated: seconds since 1970; `nil` where the store does not say it.
    public init(key: String, upload: String, initiated: Double?) {
        self.key = key
        self.upload = upload
        self.initiated = initiated
    }
}

/// What a store takes. Defaults are those that S3 and R2 share.
public struct MultipartLimits: Sendable, Hashable {
    /// In bytes, for all parts but the last. Default 5 MiB.
    public var smallestPart: Int64
    /// In bytes. Default 4.995 GiB (R2; S3 takes 5 GiB).
    public var largestPart: Int64
    /// Default 10,000.
    public var parts: Int
    /// Whether all parts but the last must be of one size (R2). Default true: it does no harm elsewhere.
    public var needsEqualParts: Bool

    /// Sizes are in bytes.
    public init(
        smallestPart: Int64 = 5 << 20, largestPart: Int64 = 5_363_336_151, parts: Int = 10_000,
        needsEqualParts: Bool = true
    ) {
        self.smallestPart = smallestPart
        self.largestPart = largestPart
        self.parts = parts
        self.needsEqualParts = needsEqualParts
    }
}
