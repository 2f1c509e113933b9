/// Credentials of the role of an EC2 instance, by version 2 of its metadata service.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
///
/// They are fetched whenever they are asked for: put ``CachedCredentials`` around it, as ``S3Store`` does.
public struct InstanceCredentials: CredentialsProvider {
    public var name: String { "instance metadata" }
    private let client: HTTPClient
    private let variables: EnvironmentVariables

    /// - Parameters:
    ///   - environment: variables by name; `nil` (default) for those of the process. `AWS_EC2_METADATA_DISABLED` turns
    ///     it off, `AWS_EC2_METADATA_SERVICE_ENDPOINT` is where the service is, if not at 169.254.169.254.
    public init(client: HTTPClient, environment: [String: String]? = nil) {
        self.client = client
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
        guard let role = roles.split(whereSeparator: \.isNewline).first else {
            throw TransferError.noCredentials("this instance has no role", "attach an instance profile to it")
        }
        let reply = try await get(folder + PercentEncoding.encoded(role), token)
        return try CredentialsDocument.credentials(in: reply, of: name)
    }

    /// What all other requests need; a request that was forged by way of a server that fetches URLs cannot have it.
    private func token(_ endpoint: String) async throws -> String {
        var request = try request(.put, "\(endpoint)/latest/api/token")
        request.headers["x-aws-ec2-metadata-token-ttl-seconds"] = "300"
        do {
            let reply = try await client.send(request, limit: 4 << 10)
            return String(decoding: reply.body, as: UTF8.self)
        } catch let error as TransferError {
            switch error.code {
            case .cannotConnect, .cannotResolve, .timeout:
                // Nobody is there: this is no instance of EC2.
                throw TransferError.noCredentials(
                    "no instance metadata service answers", "this works on EC2 only")
            default: throw TransferError.noAnswer(of: name, error)
            }
        }
    }

    private func get(_ url: String, _ token: String) async throws -> HTTPReply {
        var request = try request(.get, url)
        request.headers["x-aws-ec2-metadata-token"] = token
        do { return try await client.send(request, limit: 64 << 10) } catch let error as TransferError {
            if error.status == 404 {
                throw TransferError.noCredentials("this instance has no role", "attach an instance profile to it")
            }
            throw TransferError.noAnswer(of: name, error)
        }
    }

    private func request(_ method: HTTPMethod, _ url: String) throws(TransferError) -> HTTPRequest {
        HTTPRequest(
            method, try HTTPURL(url), destination: .trusted, redirects: .none,
            timeouts: HTTPTimeouts(connect: .seconds(1), stall: .seconds(2), whole: .seconds(10)),
            retries: HTTPRetryPolicy(maxAttempts: 3))
    }
}
