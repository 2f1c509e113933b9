import ByteIO
import Testing
import Transfer
import TransferTestSupport

/// What the tests of sinks share: a server that takes small parts.
enum SinkBench {
    static let partSize = 64 << 10

    static func server(fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }) throws -> S3Server {
        var settings = S3Server.Settings()
        settings.smallestPart = partSize
        return try S3Server(settings, fault: fault)
    }

    static func store(_ server: S3Server, client: HTTPClient? = nil, parts: Int = 10_000) throws -> PlainS3Store {
        let limits = MultipartLimits(smallestPart: Int64(partSize), parts: parts)
        return try PlainS3Store(server, client: client ?? SourceBench.client(), limits: limits)
    }

    static func sink(
        _ server: S3Server, _ key: String = "out.mp4", client: HTTPClient? = nil,
        options: ObjectOptions = ObjectOptions(), ledger: any UploadLedger = NoUploadLedger(), partsInFlight: Int = 4
    ) async throws -> MultipartSink {
        let upload = UploadOptions(partSize: Int64(partSize), partsInFlight: partsInFlight, ledger: ledger)
        return try await MultipartSink(store(server, client: client), key: key, options: options, upload: upload)
    }
}

extension ByteSink {
    /// Writes in pieces that fit nothing.
    func write(_ bytes: [UInt8], by step: Int = 10_007) throws {
        var position = 0
        while position < bytes.count {
            let end = min(bytes.count, position + step)
            try bytes[position..<end].withUnsafeBytes { try write($0) }
            position = end
        }
    }

    func rewrite(_ bytes: [UInt8], at offset: Int64) throws {
        try bytes.withUnsafeBytes { try rewrite($0, at: offset) }
    }
}
