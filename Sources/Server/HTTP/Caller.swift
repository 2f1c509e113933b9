/// Who asks.
struct Caller: Sendable {
    /// `token 0123…`, `address 192.0.2.1` (or `address 2001:db8::/64`) or `signer webhooks`: what limits are counted by.
    var subject: String
    var scopes: Set<TokenScope>
    /// The token's id; nil for somebody at this machine who needs none, and where none is needed.
    var token: String?
    /// Who has signed the request; nil (default) where that is not how callers are known.
    var signer: Signer?

    /// Whether the same request would still be let in. Asked by what goes on for long after the request came.
    var isStillWelcome: @Sendable () async throws -> Bool = { true }

    /// What idempotency keys belong to.
    var owner: String { token ?? signer.map { "signer \($0.name)" } ?? "anonymous" }
}
