import ByteIO

/// Credentials of a container's role: tasks of ECS, and pods of EKS with Pod Identity.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
///
/// They are fetched whenever they are asked for: put ``CachedCredentials`` around it, as ``S3Store`` does.
public struct ContainerCredentials: CredentialsProvider {
    public var name: String { service.name }
    private let service: MetadataService
    private let variables: EnvironmentVariables

    /// - Parameters:
    ///   - environment: variables by name; `nil` (default) for those of the process.
    public init(client: HTTPClient, environment: [String: String]? = nil) {
        service = MetadataService(
            name: "container metadata", client: client,
            timeouts: HTTPTimeouts(connect: .seconds(2), stall: .seconds(5), whole: .seconds(20)))
        variables = EnvironmentVariables(environment)
    }

    public func credentials() async throws -> Credentials {
        let url = try url()
        // The token's file is replaced now and then: it is read each time.
        var headers: HTTPHeaders = [:]
        headers["Authorization"] = try await token()
        let reply = try await service.send(.get, url, headers: headers)
        return try CredentialsDocument.credentials(in: reply, of: name)
    }

    private func url() throws(TransferError) -> HTTPURL {
        if let path = variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            guard path.hasPrefix("/") else {
                throw Self.misconfigured("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /")
            }
            return try HTTPURL("http://169.254.170.2\(path)")
        }
        guard let text = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] else {
            throw .noCredentials(
                "this container has no role", "AWS_CONTAINER_CREDENTIALS_FULL_URI is set by ECS and EKS, not by hand")
        }
        let url: HTTPURL
        do { url = try HTTPURL(text) } catch {
            throw Self.misconfigured("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL")
        }
        guard url.scheme == .https || Self.isLocal(url.host) else {
            throw Self.misconfigured("AWS_CONTAINER_CREDENTIALS_FULL_URI leads to another machine without TLS")
        }
        return url
    }

    /// The hosts that AWS's own SDKs go to over plain HTTP: this machine, and the agents of ECS and EKS.
    private static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host == "169.254.170.2" || host == "169.254.170.23"
            || host == "[fd00:ec2::23]" || host.hasPrefix("127.") && IPAddress(host) != nil
    }

    private func token() async throws -> String? {
        if let path = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
            let bytes: [UInt8]
            do { bytes = try await OwnThread.run { try FileSource(path: path).readAll(limit: 64 << 10) } } catch {
                throw TransferError(
                    .credentials, "the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read",
                    isRetryable: true, cause: error)
            }
            return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
        }
        return variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    }

    private static func misconfigured(_ message: String) -> TransferError {
        // Not for another provider to step in: the role that was meant is not to be had.
        TransferError(.badURL, message, hint: "check the container's environment", mayHaveTakenEffect: false)
    }
}
