import Locking

/// What the requests to a bucket have in common: who signs them, and what was learned from their answers. Copies of a
/// store share it.
///
/// Thread-safe.
final class S3Session: Sendable {
    let address: S3Address
    let credentials: CachedCredentials
    let clock: ClockSkew
    private let learnedRegion = Locked<String?>(nil)

    init(_ address: S3Address, credentials: any CredentialsProvider, clock: @escaping @Sendable () -> Double) {
        self.address = address
        self.credentials = credentials as? CachedCredentials ?? CachedCredentials(credentials, clock: clock)
        self.clock = ClockSkew(clock: clock)
    }

    /// The one of the settings, if AWS did not name another.
    var region: String { learnedRegion.withLock { $0 } ?? address.settings.region }

    /// Notes where AWS says the bucket is. Elsewhere the region is no more than a word to sign with.
    ///
    /// - Parameter region: of `x-amz-bucket-region`, or of an error's document.
    /// - Returns: whether it is worth asking there.
    func learn(region: String?, insteadOf used: String) -> Bool {
        guard address.settings.endpoint == nil, let region, region != used, S3Address.isRegion(region) else {
            return false
        }
        learnedRegion.withLock { $0 = region }
        return true
    }
}

/// One request's signatures, anew for each attempt, and what the answers to them mean.
///
/// Thread-safe.
final class S3Attempts: Sendable {
    private struct State {
        var count = 0
        var signedAt = 0.0
        var region = ""
        var credentials: Credentials?
        /// Each of these is tried once: what does not help at once does not help at all.
        var hasCorrectedClock = false
        var hasRenewedCredentials = false
        var hasMoved = false
    }

    private let session: S3Session
    private let key: String?
    private let query: [(name: String, value: String)]
    private let payload: SigV4.Payload
    private let state = Locked(State())

    init(_ session: S3Session, key: String?, query: [(name: String, value: String)], payload: SigV4.Payload) {
        self.session = session
        self.key = key
        self.query = query
        self.payload = payload
    }

    /// How many times it was sent.
    var count: Int { state.withLock { $0.count } }

    /// It was sent again as it was.
    func noteRepeat() { state.withLock { $0.count += 1 } }

    func sign(_ request: inout HTTPRequest) async throws {
        let credentials = try await session.credentials.credentials()
        let (now, region) = (session.clock.now, session.region)
        request.url = try session.address.url(region: region, key: key, query: query)
        SigV4(credentials, region: region, time: now).sign(&request, payload: payload)
        state.withLock {
            $0.count += 1
            $0.signedAt = now
            $0.region = region
            $0.credentials = credentials
        }
    }

    /// Reads what S3 says about a failure, and mends what can be mended before another attempt.
    func classify(_ error: inout TransferError) {
        let document = S3XML.error(error.body)
        S3Errors.classify(&error, document)
        guard isMended(error, document) else { return }
        error.isRetryable = true
        // It was refused at the door.
        error.mayHaveTakenEffect = false
    }

    private func isMended(_ error: TransferError, _ document: S3XML.ErrorDocument?) -> Bool {
        let attempt = state.withLock { $0 }
        switch error.serviceCode {
        case .requestTimeTooSkewed?, .requestExpired?,
            // The answer to HEAD has no body, and so no code: then the clocks are looked at.
            nil where error.status == 403:
            guard !attempt.hasCorrectedClock,
                session.clock.correct(by: error.headers["Date"], signed: attempt.signedAt)
            else { return false }
            state.withLock { $0.hasCorrectedClock = true }
            return true
        case .expiredToken?, .tokenRefreshRequired?, .invalidAccessKeyID?:
            guard !attempt.hasRenewedCredentials, let used = attempt.credentials, session.credentials.discard(used)
            else { return false }
            state.withLock { $0.hasRenewedCredentials = true }
            return true
        default:
            return (error.status == 400 || error.status == 301)
                && moves(to: document?.region ?? error.headers["x-amz-bucket-region"])
        }
    }

    /// Whether the request is worth sending to another region.
    func moves(to region: String?) -> Bool {
        let attempt = state.withLock { $0 }
        guard !attempt.hasMoved, session.learn(region: region, insteadOf: attempt.region) else { return false }
        state.withLock { $0.hasMoved = true }
        return true
    }
}
