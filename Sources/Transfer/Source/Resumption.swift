/// How long to go on with a transfer that breaks again and again. The client has retried what failed before the first
/// byte; this is about what breaks amid the bytes.
struct Resumption {
    /// A connection that brings at least that many bytes counts as a new beginning.
    static let progress: Int64 = 64 << 10
    private let policy: HTTPRetryPolicy
    private var attempt = 0

    init(_ policy: HTTPRetryPolicy = HTTPRetryPolicy()) { self.policy = policy }

    /// - Parameters:
    ///   - received: bytes that came since the attempt before.
    /// - Returns: how long to wait before going on where it broke; `nil` to give up.
    mutating func delay(
        after error: any Error, received: Int64, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard let error = error as? TransferError, error.isRetryable, error.status ?? 0 < 400 else { return nil }
        if received >= Self.progress { attempt = 0 }
        attempt += 1
        // Without a single byte it is the client that has failed, after attempts of its own.
        guard received > 0 || attempt < 3 else { return nil }
        return policy.delay(after: error, attempt: attempt, isIdempotent: true, using: &generator)
    }
}
