/// The first of several providers that has credentials.
///
/// A provider that has none is passed over; one that should have some and fails is an error, so that a moment's trouble
/// does not make the program somebody else.
public struct CredentialsChain: CredentialsProvider {
    public var name: String { providers.map(\.name).joined(separator: ", ") }
    private let providers: [any CredentialsProvider]

    /// - Parameter providers: asked anew each time, in this order, until one has credentials.
    public init(_ providers: [any CredentialsProvider]) { self.providers = providers }

    /// Environment, container, instance: as AWS's own programs look for them.
    ///
    /// - Parameter environment: variables by name; `nil` (default) for those of the process.
    public static func standard(client: HTTPClient, environment: [String: String]? = nil) -> CredentialsChain {
        CredentialsChain([
            EnvironmentCredentials(environment), ContainerCredentials(client: client, environment: environment),
            InstanceCredentials(client: client, environment: environment),
        ])
    }

    public func credentials() async throws -> Credentials {
        var reasons: [String] = []
        for provider in providers {
            do { return try await provider.credentials() } catch let error as TransferError
                where error.code == .credentials && !error.isRetryable
            {
                reasons.append(error.message)
            }
        }
        throw TransferError.noCredentials(
            "there are no credentials: " + (reasons.isEmpty ? "nobody was asked" : reasons.joined(separator: "; ")),
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or attach a role")
    }
}
