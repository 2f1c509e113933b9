/// The body of a request between who writes it and who sends it.
final class UploadFlow: Sendable {
    func write(_ bytes: [UInt8]) async throws {}
}
