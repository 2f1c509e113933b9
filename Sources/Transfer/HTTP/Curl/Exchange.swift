/// One request on its way, as both sides see it: the task that waits for it, and the thread that carries it out.
final class Exchange: Sendable {
    func nextChunk() async throws -> [UInt8]? { nil }
    func describe(_ error: TransferError) -> TransferError { error }
}
