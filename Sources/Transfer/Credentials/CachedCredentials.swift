import Locking

/// Credentials that are kept, and fetched again before they end.
///
/// Those without an end are asked for each time. Whoever comes while others are being fetched waits for the same ones.
/// If they cannot be had, those that are still good are used, and the provider is asked again half a minute later.
///
/// Thread-safe.
public final class CachedCredentials: CredentialsProvider {
    public var name: String { provider.name }
    private let provider: any CredentialsProvider
    private let clock: @Sendable () -> Double
    private let state = Locked(State())

    private struct State {
        var kept: Credentials?
        /// Not before then, in seconds since 1970, unless there is nothing good.
        var nextFetch = -Double.infinity
        var isFetching = false
        var waiters: [Int: CheckedContinuation<Credentials, any Error>] = [:]
        var count = 0

        /// Those that are kept, if they need not be fetched again.
        func good(at now: Double) -> Credentials? {
            guard let kept, let expires = kept.expires, expires > now else { return nil }
            return expires - now > CachedCredentials.lead || nextFetch > now ? kept : nil
        }
    }

    /// How long before their end they are fetched again, in seconds.
    package static let lead = 300.0
    /// How long a provider is left alone that failed, or had nothing better, in seconds.
    package static let pause = 30.0

    /// - Parameter provider: asked when nothing good is left, once for all who wait.
    public convenience init(_ provider: any CredentialsProvider) { self.init(provider) { WallClock.now } }

    /// - Parameter clock: seconds since 1970.
    package init(_ provider: any CredentialsProvider, clock: @escaping @Sendable () -> Double) {
        self.provider = provider
        self.clock = clock
    }

    public func credentials() async throws -> Credentials {
        let now = clock()
        if let kept = state.withLock({ $0.good(at: now) }) { return kept }
        let number = state.withLock {
            $0.count += 1
            return $0.count
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in wait(waiter, number) }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(throwing: Self.cancelled)
        }
    }

    /// Has the credentials forgotten that a server does not take.
    ///
    /// - Returns: whether others may be had by asking again.
    package func discard(_ used: Credentials) -> Bool {
        state.withLock { state in
            guard used.expires != nil else { return false }
            if state.kept == used {
                state.kept = nil
                state.nextFetch = -.infinity
            }
            return true
        }
    }

    private static let cancelled = TransferError(
        .cancelled, "the request was cancelled while its credentials were fetched", isRetryable: false)

    private func wait(_ waiter: CheckedContinuation<Credentials, any Error>, _ number: Int) {
        // The handler of a cancel may have run before there was anything to resume.
        guard !Task.isCancelled else { return waiter.resume(throwing: Self.cancelled) }
        let now = clock()
        let (isFirst, kept) = state.withLock { state -> (Bool, Credentials?) in
            // They may have come since they were looked for.
            if let kept = state.good(at: now) { return (false, kept) }
            state.waiters[number] = waiter
            defer { state.isFetching = true }
            return (!state.isFetching, nil)
        }
        if let kept { return waiter.resume(returning: kept) }
        if Task.isCancelled {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(throwing: Self.cancelled)
        }
        guard isFirst else { return }
        // A task of its own: many wait for it, and the cancel of one must not end it for the others.
        Task {
            do { end(.success(try await provider.credentials())) } catch { end(.failure(error)) }
        }
    }

    private func end(_ result: Result<Credentials, any Error>) {
        let now = clock()
        let (waiters, result) = state.withLock { state in
            let waiters = state.waiters
            var result = result
            state.waiters = [:]
            state.isFetching = false
            switch result {
            case .success(let credentials):
                state.kept = credentials
                // A service may go on handing out the same ones until they have ended.
                let isShort = credentials.expires.map { $0 - now <= Self.lead } ?? false
                state.nextFetch = isShort ? now + Self.pause : -.infinity
            case .failure:
                if let kept = state.kept, let expires = kept.expires, expires > now {
                    state.nextFetch = now + Self.pause
                    result = .success(kept)
                }
            }
            return (waiters, result)
        }
        for waiter in waiters.values { waiter.resume(with: result) }
    }
}
