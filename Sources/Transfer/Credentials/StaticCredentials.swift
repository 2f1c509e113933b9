/// Credentials that are given as they are.
public struct StaticCredentials: CredentialsProvider {
    public var name: String { "given credentials" }
    private let value: Credentials

    /// Gives `credentials` to all who ask, even after they have ended.
    public init(_ credentials: Credentials) { value = credentials }

    /// A key pair without an end; with a session token, it is used until the server refuses it.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        self.init(
            Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken))
    }

    public func credentials() -> Credentials { value }
}
