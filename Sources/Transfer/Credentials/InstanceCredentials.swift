/// Credentials of the role of an EC2 instance, by version 2 of its metadata service.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
///
/// They are fetched whenever they are asked for: put ``CachedCredentials`` around it, as ``S3Store`` does.
public struct InstanceCredentials: CredentialsProvider {
    public var name: String { service.name }
    private let service: MetadataService
    private let variables: EnvironmentVariables

    /// - Parameters:
    ///   - environment: variables by name; `nil` (default) for those of the process. `AWS_EC2_METADATA_DISABLED` turns
    ///     it off, `AWS_EC2_METADATA_SERVICE_ENDPOINT` is where the service is, if not at 169.254.169.254.
    public init(client: HTTPClient, environment: [String: String]? = nil) {
        service = MetadataService(
            name: "instance metadata", client: client,
            timeouts: HTTPTimeouts(connect: .seconds(1), stall: .seconds(2), whole: .seconds(10)),
            retries: HTTPRetryPolicy(maxAttempts: 3))
        variables = EnvironmentVariables(environment)
    }

    public func credentials() async throws -> Credentials {
        guard variables["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else {
            throw TransferError.noCredentials(
                "instance metadata is turned off", "AWS_EC2_METADATA_DISABLED is set to true")
        }
        var endpoint = variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        let token = try await token(endpoint)
        let folder = "\(endpoint)/latest/meta-data/iam/security-credentials/"
        let roles = String(decoding: try await get(folder, token).body, as: UTF8.self)
        guard let role = roles.split(whereSeparator: \.isNewline).first else { throw Self.noRole }
        let reply = try await get(folder + PercentEncoding.encoded(role), token)
        return try CredentialsDocument.credentials(in: reply, of: name)
    }

    /// What all other requests need; a request that was forged by way of a server that fetches URLs cannot have it.
    private func token(_ endpoint: String) async throws -> String {
        let reply = try await service.send(
            .put, try HTTPURL("\(endpoint)/latest/api/token"), headers: ["x-aws-ec2-metadata-token-ttl-seconds": "300"]
        ) { error in
            switch error.code {
            // Nobody is there: this is no instance of EC2.
            case .cannotConnect, .cannotResolve, .timeout:
                TransferError.noCredentials("no instance metadata service answers", "this works on EC2 only")
            default: nil
            }
        }
        return String(decoding: reply.body, as: UTF8.self)
    }

    private func get(_ url: String, _ token: String) async throws -> HTTPReply {
        try await service.send(.get, try HTTPURL(url), headers: ["x-aws-ec2-metadata-token": token]) { error in
            error.status == 404 ? Self.noRole : nil
        }
    }

    private static var noRole: TransferError {
        .noCredentials("this instance has no role", "attach an instance profile to it")
    }
}
