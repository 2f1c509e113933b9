/// How many retries a server may cost: a bucket of tokens for each origin. A retry takes one, a success gives a part
/// of one back. Once it is empty, requests fail at their first error: a server that is down is not hammered, and
/// retries stay a fraction of all requests. The same idea as in gRPC's retry throttling.
/// https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
public struct RetryBudget: Sendable, Hashable {
    /// How many retries in a row are possible without a success. Default 100.
    public var capacity: Double
    /// How much of a retry a success gives back. Default 0.2: in the long run, one retry for five successes.
    public var refund: Double

    /// Numbers below 0 are taken as 0; a `capacity` of less than 1 allows no retry.
    public init(capacity: Double = 100, refund: Double = 0.2) {
        self.capacity = max(0, capacity)
        self.refund = max(0, refund)
    }
}

/// The buckets of all origins.
struct RetryBuckets {
    private let budget: RetryBudget
    /// What has been taken and not given back, by origin. An origin that is not in it has a full bucket, so that the
    /// table holds those in trouble only.
    private var spent: [String: Double] = [:]
    /// The most origins that are remembered.
    private static let limit = 10_000

    init(_ budget: RetryBudget) { self.budget = budget }

    /// Takes a token. False if there is none.
    mutating func take(_ origin: String) -> Bool {
        let spent = spent[origin, default: 0]
        guard spent + 1 <= budget.capacity else { return false }
        // Whoever has URLs on ever new hosts must not fill the memory.
        if self.spent.count >= Self.limit, self.spent[origin] == nil { self.spent.removeAll() }
        self.spent[origin] = spent + 1
        return true
    }

    mutating func refund(_ origin: String) {
        guard let spent = spent[origin] else { return }
        self.spent[origin] = spent > budget.refund ? spent - budget.refund : nil
    }
}
