/// What a store knows about an object without its bytes.
public struct ObjectInfo: Sendable, Hashable {
    /// As the store knows it, not encoded.
    public var key: String
    /// In bytes.
    public var size: Int64
    /// Names this very content: another upload under the same key has another one.
    public var etag: ETag?
    /// Seconds since 1970.
    public var lastModified: Double?
    /// A media type, "video/mp4"; `nil` where the store does not say it.
    public var contentType: String?
    /// The checksums that the store keeps.
    public var checksums: [ObjectChecksum]
    /// What ``ObjectOptions/metadata`` said, by name in small letters; empty in listings, and where the store keeps none.
    public var metadata: [String: String]

    /// For stores. What they do not know is `nil`.
    public init(
        key: String, size: Int64, etag: ETag? = nil, lastModified: Double? = nil, contentType: String? = nil,
        checksums: [ObjectChecksum] = [], metadata: [String: String] = [:]
    ) {
        self.key = key
        self.size = size
        self.etag = etag
        self.lastModified = lastModified
        self.contentType = contentType
        self.checksums = checksums
        self.metadata = metadata
    }
}

/// An entity tag as it is sent, quotes included. RFC 9110, §8.8.3.
public struct ETag: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// With its quotes, and `W/` before those of a weak one.
    public let rawValue: String
    /// Takes the text as it is.
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }
    /// Whether it promises no more than the same meaning; such a one cannot pin bytes.
    public var isWeak: Bool { rawValue.hasPrefix("W/") }
}

/// A checksum of an object or part.
public struct ObjectChecksum: Hashable, Sendable {
    /// The ones that are made and compared here. The raw value is S3's name.
    public enum Algorithm: String, Hashable, Sendable {
        case crc32c = "CRC32C"
        case md5 = "MD5"
    }
    /// Decides how many `bytes` there are.
    public var algorithm: Algorithm
    /// 4 bytes, big-endian, or 16.
    public var bytes: [UInt8]
    /// Whether it is one over the checksums of that many parts, not over the bytes.
    public var parts: Int?

    /// - Parameter bytes: as many as the algorithm makes; they are not counted.
    public init(_ algorithm: Algorithm, _ bytes: [UInt8], parts: Int? = nil) {
        self.algorithm = algorithm
        self.bytes = bytes
        self.parts = parts
    }
}

/// What is said about an object when it is written.
public struct ObjectOptions: Sendable, Hashable {
    /// Default `nil`: the store's own, mostly `application/octet-stream`.
    public var contentType: String?
    /// What browsers do with it, such as `attachment; filename="a.mp4"`. Default `nil`.
    public var contentDisposition: String?
    /// How long caches may keep it, such as `max-age=3600`. Default `nil`.
    public var cacheControl: String?
    /// Small texts kept with the object (`x-amz-meta-…`), by name in small letters.
    public var metadata: [String: String]
    /// Whether an object under that key may be replaced; if not, `exists` is thrown. Default true.
    public var overwrite: Bool

    /// By default nothing is said, and what is there is replaced.
    public init(
        contentType: String? = nil, contentDisposition: String? = nil, cacheControl: String? = nil,
        metadata: [String: String] = [:], overwrite: Bool = true
    ) {
        self.contentType = contentType
        self.contentDisposition = contentDisposition
        self.cacheControl = cacheControl
        self.metadata = metadata
        self.overwrite = overwrite
    }
}

/// One page of a listing.
public struct ObjectPage: Sendable, Hashable {
    /// By key, in the order of their UTF-8 bytes.
    public var objects: [ObjectInfo]
    /// Where the next page begins, for `list`; `nil` on the last.
    public var next: String?

    /// - Parameter next: `nil` (default) on the last page.
    public init(objects: [ObjectInfo], next: String? = nil) {
        self.objects = objects
        self.next = next
    }
}
