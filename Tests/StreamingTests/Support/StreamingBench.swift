import MediaKit
import TestSupport
import Transfer
import TransferTestSupport
import Worker

/// An engine between a store and a folder: what a program has that was given locations, against a strict server that
/// misbehaves as told.
struct StreamingBench: Sendable {
    let server: S3Server
    let client: HTTPClient
    let stores: Stores
    let engine: MediaEngine
    let ledger: MemoryUploadLedger
    /// Where the same is done through files.
    let scratch: Scratch

    /// - Parameters:
    ///   - settings: of the server, but for its smallest part.
    ///   - partSize: bytes of a part; small ones make many of little.
    ///   - stall: how long a request may stand still.
    ///   - fault: what the server does wrong about a request.
    init(
        _ settings: S3Server.Settings = S3Server.Settings(), partSize: Int = 256 << 10,
        stall: Duration = .seconds(30), fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }
    ) throws {
        var settings = settings
        settings.smallestPart = partSize
        server = try S3Server(settings, fault: fault)
        client = try HTTPClient(
            HTTPConfiguration(
                // The server's presigned URLs are of the web, too.
                addressGuard: AddressGuard(allowedHosts: ["127.0.0.1"]), timeouts: HTTPTimeouts(stall: stall),
                retries: HTTPRetryPolicy(base: .milliseconds(5), cap: .milliseconds(50))))
        stores = Stores(
            client: client,
            s3: S3Settings(
                endpoint: try HTTPURL(server.endpoint), region: settings.region,
                multipartLimits: MultipartLimits(smallestPart: Int64(partSize))),
            credentials: StaticCredentials(S3Server.credentials))
        ledger = MemoryUploadLedger()
        engine = MediaEngine(
            resolver: StoreResolver(
                stores: stores, source: RangeSourceOptions(blockSize: 1 << 20),
                upload: UploadOptions(partSize: Int64(partSize), ledger: ledger)))
        scratch = try Scratch()
    }

    /// "s3://media/a.mp4"
    func location(_ key: String) -> String { "s3://\(server.settings.bucket)/\(key)" }

    /// What `kiln` finds in its environment, to reach the server.
    var environment: [String: String] {
        [
            "AWS_ACCESS_KEY_ID": S3Server.credentials.accessKeyID,
            "AWS_SECRET_ACCESS_KEY": S3Server.credentials.secretAccessKey,
            "AWS_REGION": server.settings.region, "AWS_ENDPOINT_URL_S3": server.endpoint,
        ]
    }
}

/// Where two runs of bytes differ, in words; `nil` if they are the same. What `#expect(a == b)` says of megabytes is of no
/// use.
func difference(_ bytes: [UInt8]?, _ expected: [UInt8]?) -> String? {
    guard bytes != expected else { return nil }
    guard let bytes, let expected else { return bytes == nil ? "there is nothing" : "nothing was expected" }
    let place = zip(bytes, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(bytes.count, expected.count)
    return "\(bytes.count) bytes instead of \(expected.count), which differ from byte \(place) on"
}
