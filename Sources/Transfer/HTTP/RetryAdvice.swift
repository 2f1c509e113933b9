/// What an answer says about trying again.
struct RetryAdvice: Equatable {
    /// How long to wait at least.
    var wait: Duration?
    /// Whether the server says yes or no by itself; `nil` if the status decides.
    var shouldRetry: Bool?

    /// Waits longer than that are of no use, and would overflow in sums.
    private static let longest = 86_400.0 * 366

    /// Reads `retry-after-ms`, `Retry-After` in seconds or as a date (RFC 9110, §10.2.3), and `x-should-retry`.
    ///
    /// - Parameter now: seconds since 1970 by our clock, used where the answer does not tell the server's.
    init(_ headers: HTTPHeaders, now: Double) {
        switch headers["x-should-retry"] {
        case "true": shouldRetry = true
        case "false": shouldRetry = false
        default: shouldRetry = nil
        }
        if let text = headers["retry-after-ms"], let milliseconds = Double(text), milliseconds.isFinite {
            wait = Self.duration(milliseconds / 1000)
        } else if let text = headers["Retry-After"] {
            if let seconds = Double(text), seconds.isFinite {
                wait = Self.duration(seconds)
            } else if let moment = HTTPDate.seconds(text, now: now) {
                // Against the server's own clock: ours may differ.
                let sent = headers["Date"].flatMap { HTTPDate.seconds($0, now: now) }.map(Double.init) ?? now
                wait = Self.duration(Double(moment) - sent)
            }
        }
    }

    private static func duration(_ seconds: Double) -> Duration { .seconds(min(max(0, seconds), longest)) }
}
