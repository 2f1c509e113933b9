import ByteIO
import Foundation
import Testing
import Transfer
import TransferTestSupport

/// What the tests of sources and sinks share.
enum SourceBench {
    /// Bytes of which no two stretches are alike.
    static func bytes(_ count: Int) -> [UInt8] { S3Object.pattern(0..<Int64(count)) }

    /// What makes a server that anybody may read.
    static var open: S3Server.Settings {
        var settings = S3Server.Settings()
        settings.requiresSignature = false
        return settings
    }

    /// A server that anybody may read.
    static func server(
        _ settings: S3Server.Settings = open, fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }
    ) throws -> S3Server { try S3Server(settings, fault: fault) }

    /// A client that soon notices when nothing comes.
    static func client() throws -> HTTPClient {
        try HTTPBench.client { $0.timeouts = HTTPTimeouts(stall: .seconds(2)) }
    }

    /// A client that waits for as long as it takes.
    static func patientClient() throws -> HTTPClient {
        try HTTPBench.client { $0.timeouts = HTTPTimeouts(connect: nil, stall: nil) }
    }

    static func source(
        _ server: S3Server, _ key: String = "a.mp4", client: HTTPClient? = nil,
        options: RangeSourceOptions = RangeSourceOptions(blockSize: 1 << 20)
    ) async throws -> RangeSource {
        let request = HTTPRequest(.get, try HTTPURL(server.url(key) + "?secret=1"))
        let object = WebObject(try client ?? Self.client(), request)
        return try await RangeSource(object, options: options)
    }
}

/// Runs what blocks on a thread of its own, as the engine does.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try body() }) }.start()
    }
}

extension ByteSource {
    /// Up to `count` bytes; fewer only at the end.
    func bytes(_ count: Int, at offset: Int64, reading step: Int = 32 << 10) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: step)
        while bytes.count < count {
            let wanted = min(step, count - bytes.count)
            let position = offset + Int64(bytes.count)
            let got = try buffer.withUnsafeMutableBytes {
                try read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]), at: position)
            }
            if got == 0 { break }
            bytes += buffer[..<got]
        }
        return bytes
    }

    func all() async throws -> [UInt8] {
        try await onThread { () throws -> [UInt8] in try self.bytes(.max, at: 0) }
    }
}
