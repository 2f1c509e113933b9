import ByteIO

extension LocalStore {
    /// Writes what arrives piece by piece; it is there when all of it is, and nothing of it otherwise.
    ///
    /// - Parameters:
    ///   - limit: bytes at most.
    ///   - size: the only number of bytes that is taken; `nil` (default) for any.
    ///   - overwrite: whether an object under that key may be replaced.
    /// - Throws: ``TransferError`` with code `tooLarge` beyond the limit, `badRequest` for another size or a key that no
    ///   file can have, `exists`, `accessDenied`, `io`; and what the pieces throw.
    public func receive<Pieces: AsyncSequence & Sendable>(
        _ key: String, _ pieces: Pieces, limit: Int64, size: Int64? = nil, overwrite: Bool = true
    ) async throws -> ObjectInfo where Pieces.Element == [UInt8] {
        let sink = try await OwnThread.run { try create(key, overwrite: overwrite) }
        do {
            var total: Int64 = 0
            // Each write is a thread's: small pieces are put together first.
            var waiting: [UInt8] = []
            for try await piece in pieces {
                total += Int64(piece.count)
                guard total <= min(limit, size ?? limit) else {
                    throw TransferError(
                        .tooLarge, "there are more than \(min(limit, size ?? limit)) bytes", isRetryable: false,
                        mayHaveTakenEffect: false)
                }
                waiting += piece
                if waiting.count >= Self.writeSize {
                    let bytes = waiting
                    waiting = []
                    try await OwnThread.run { try Self.append(bytes, to: sink) }
                }
            }
            // A sequence that was cancelled may just end.
            try Task.checkCancellation()
            if let size, size != total {
                throw TransferError(
                    .badRequest, "\(total) bytes have come, not the \(size) that were announced",
                    mayHaveTakenEffect: false)
            }
            let rest = waiting
            return try await OwnThread.run {
                try Self.append(rest, to: sink)
                try TransferError.ofFiles { try sink.finish() }
                return try open(key).info(key)
            }
        } catch {
            try? await OwnThread.run { sink.abort() }
            throw error
        }
    }

    private static var writeSize: Int { 1 << 20 }

    private static func append(_ bytes: [UInt8], to sink: FileSink) throws {
        try TransferError.ofFiles { try bytes.withUnsafeBytes { try sink.write($0) } }
    }
}
