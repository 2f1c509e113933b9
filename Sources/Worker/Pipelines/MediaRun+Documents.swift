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
        try await withTaskCancellationHandler {
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
        } onCancel: {
            sink.cancel()
        }
        return try await output(location, size: Int64(bytes.count), duration: 0)
    }

    /// Copies a file, with a block of it in memory.
    ///
    /// - Parameter limit: bytes; a longer one is an error.
    /// - Throws: ``MediaError``.
    func copy(
        _ from: String, to location: String, overwrite: Bool = false, limit: Int64 = .max
    ) async throws -> JobResult.Output {
        let source = try resolver.source(for: from)
        let sink = try resolver.sink(for: location, overwrite: overwrite)
        let size = try await withTaskCancellationHandler {
            try await Bounded.blocking {
                do {
                    var block = [UInt8](repeating: 0, count: 1 << 20)
                    var size: Int64 = 0
                    while true {
                        let count = try block.withUnsafeMutableBytes { try source.read(into: $0, at: size) }
                        if count == 0 { break }
                        guard size + Int64(count) <= limit else {
                            throw ByteIOError(.tooLarge, "\(source.name) is larger than \(limit) bytes")
                        }
                        try block[..<count].withUnsafeBytes { try sink.write($0) }
                        size += Int64(count)
                    }
                    try sink.prepare()
                    try sink.finish()
                    return size
                } catch {
                    sink.abort()
                    throw error
                }
            }
        } onCancel: {
            source.cancel()
            sink.cancel()
        }
        return try await output(location, size: size, duration: 0)
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
