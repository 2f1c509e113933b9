/// Where a bucket is and how it is addressed.
public struct S3Settings: Sendable, Hashable {
    /// Where in a URL the bucket's name stands.
    public enum Addressing: String, Sendable, Hashable {
        /// `https://bucket.host/key`
        case virtualHost
        /// `https://host/bucket/key`: R2, MinIO, Supabase, and buckets with dots in their names.
        case path
        /// `virtualHost` for AWS where the bucket's name allows it, else `path`.
        case automatic
    }

    /// Scheme, host and perhaps port and path (Supabase: `/storage/v1/s3`); `nil` for AWS in `region`.
    public var endpoint: HTTPURL?
    /// "us-east-1"; "auto" for R2.
    public var region: String
    /// Default `automatic`.
    public var addressing: Addressing
    /// How parts and objects are protected on their way. Default: CRC32C with AWS, MD5 elsewhere.
    public var checksum: ObjectChecksum.Algorithm?
    /// What parts the service takes. Default: what both S3 and R2 take.
    public var multipartLimits: MultipartLimits

    /// - Parameter checksum: `nil` (default) for CRC32C without an `endpoint`, MD5 with one.
    public init(
        endpoint: HTTPURL? = nil, region: String, addressing: Addressing = .automatic,
        checksum: ObjectChecksum.Algorithm? = nil, multipartLimits: MultipartLimits = MultipartLimits()
    ) {
        self.endpoint = endpoint
        self.region = region
        self.addressing = addressing
        self.checksum = checksum ?? (endpoint == nil ? .crc32c : .md5)
        self.multipartLimits = multipartLimits
    }
}
