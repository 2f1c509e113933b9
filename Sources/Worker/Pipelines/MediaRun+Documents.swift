import ByteIO
import FoundationEssentials
import MediaKit
import Transfer

/// Small files beside the media: transcripts, subtitles.
extension MediaRun {
    /// Writes a file whole, under the job's fence like any output.
    ///
    /// - Parameter location: as a payload names it, its placeholders filled in.
    /// - Throws: ``MediaError``.
    func write(_ bytes: [UInt8], to location: String, overwrite: Bool = false) async throws -> JobResult.Output {
        let sink = try resolver.sink(for: location, overwrite: overwrite)
        try await Bounded.blocking {
            do {
                try bytes.withUnsafeBytes { try sink.write($0) }
                try sink.prepare()
                try sink.finish()
            } catch {
                sink.abort()
                throw error
            }
        }
        return try await output(location, size: Int64(bytes.count), duration: 0)
    }

    /// Reads a file whole.
    ///
    /// - Parameter limit: bytes; a longer one is an error.
    /// - Throws: ``MediaError``.
    func read(_ location: String, limit: Int = 64 << 20) async throws -> [UInt8] {
        let source = try resolver.source(for: location)
        return try await withTaskCancellationHandler {
            try await Bounded.blocking { try source.readAll(limit: limit) }
        } onCancel: {
            source.cancel()
        }
    }
}
