/// Credentials that are given as they are.
public struct StaticCredentials: CredentialsProvider {
    public var name: String { "given credentials" }
    private let value: Credentials

    public init(_ credentials: Credentials) { value = credentials }

    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        self.init(
            Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken))
    }

    public func credentials() -> Credentials { value }
}
