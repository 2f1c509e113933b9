/// Who asks.
struct Caller: Sendable {
    /// `token 0123…` or `address 192.0.2.1`: what limits are counted by.
    var subject: String
    var scopes: Set<TokenScope>
    /// The token's id; nil for somebody at this machine who needs none, and where none is needed.
    var token: String?

    /// What idempotency keys belong to.
    var owner: String { token ?? "anonymous" }
}
