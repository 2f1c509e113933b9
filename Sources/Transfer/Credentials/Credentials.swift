/// A key pair for S3's signatures.
public struct Credentials: Sendable, Hashable, CustomStringConvertible {
    /// Names the key. Not secret: it is sent with each request.
    public var accessKeyID: String
    /// Never sent, but used to sign. Not for messages or logs.
    public var secretAccessKey: String
    /// Of temporary credentials.
    public var sessionToken: String?
    /// When they end, in seconds since 1970; `nil` for never.
    public var expires: Double?

    /// - Parameter expires: seconds since 1970; `nil` (default) for credentials that do not end.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expires: Double? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expires = expires
    }

    /// The first letters of the key's id, and nothing secret.
    public var description: String { "credentials \(accessKeyID.prefix(4))…" }
}

/// Where credentials come from.
public protocol CredentialsProvider: Sendable {
    /// For messages: "environment", "instance metadata".
    var name: String { get }

    /// Credentials that are good now, and for some minutes more if they end at all.
    ///
    /// - Throws: ``TransferError`` with code `credentials` if there are none, and what to set.
    func credentials() async throws -> Credentials
}
