import Testing
import Transfer
import TransferTestSupport

@Suite struct CredentialsTests {
    private static let environment = ["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"]

    @Test func `the environment's`() throws {
        var variables = Self.environment
        #expect(
            try EnvironmentCredentials(variables).credentials()
                == Credentials(accessKeyID: "AKID", secretAccessKey: "secret"))
        variables["AWS_SESSION_TOKEN"] = "token"
        #expect(try EnvironmentCredentials(variables).credentials().sessionToken == "token")
        variables["AWS_SECRET_ACCESS_KEY"] = ""
        let error = #expect(throws: TransferError.self) { try EnvironmentCredentials(variables).credentials() }
        #expect(error?.code == .credentials)
        #expect(error.map { "\($0)".contains("AWS_SECRET_ACCESS_KEY") } == true)
    }

    @Test func `nothing secret is shown`() {
        let text = "\(Credentials(accessKeyID: "AKIDLONGNAME", secretAccessKey: "secret", sessionToken: "token"))"
        #expect(!text.contains("secret") && !text.contains("token") && !text.contains("LONGNAME"))
    }

    private static let document = """
        {"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "s/e+c", "Token": "tok==", \
        "Expiration": "2099-01-01T00:00:00Z", "Type": "AWS-HMAC"}
        """
    private static let documented = Credentials(
        accessKeyID: "ASIA", secretAccessKey: "s/e+c", sessionToken: "tok==", expires: 4_070_908_800)

    // MARK: Containers

    @Test func `a container's, with its token`() async throws {
        let server = try HTTPBench.server { connection, request, _ in
            guard request.headers["Authorization"] == "Bearer abc" else { return try connection.respond(401) }
            try connection.respond(200, body: Array(Self.document.utf8))
        }
        let provider = ContainerCredentials(
            client: try HTTPBench.client(),
            environment: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url("/v1/credentials"),
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer abc",
            ])
        #expect(try await provider.credentials() == Self.documented)
        #expect(server.requests.map(\.path) == ["/v1/credentials"])
    }

    @Test func `a container's token is read from its file each time`() async throws {
        let folder = try ScratchFolder()
        let server = try HTTPBench.server { connection, _, _ in
            try connection.respond(200, body: Array(Self.document.utf8))
        }
        let provider = ContainerCredentials(
            client: try HTTPBench.client(),
            environment: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url(),
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "\(folder.path)/token",
            ])
        for token in ["one", "two"] {
            try folder.write("token", token + "\n")
            _ = try await provider.credentials()
        }
        #expect(server.requests.map { $0.headers["Authorization"] } == ["one", "two"])
    }

    @Test func `a container's credentials are not fetched from just anywhere`() async throws {
        let client = try HTTPBench.client()
        for url in ["http://example.com/", "http://127.evil.com/", "http://10.0.0.1/", "ftp://127.0.0.1/"] {
            let provider = ContainerCredentials(
                client: client, environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
            #expect(await transferError { _ = try await provider.credentials() }?.code == .badURL, "\(url)")
        }
    }

    // MARK: Instances

    private func metadata(
        role: String = "worker", _ document: String = document
    ) throws -> RawServer {
        try HTTPBench.server { connection, request, _ in
            switch (request.method, request.path) {
            case ("PUT", "/latest/api/token") where request.headers["x-aws-ec2-metadata-token-ttl-seconds"] != nil:
                try connection.respond(200, body: Array("session".utf8))
            case ("GET", _) where request.headers["x-aws-ec2-metadata-token"] != "session": try connection.respond(401)
            case ("GET", "/latest/meta-data/iam/security-credentials/") where !role.isEmpty:
                try connection.respond(200, body: Array("\(role)\n".utf8))
            case ("GET", "/latest/meta-data/iam/security-credentials/\(role)") where !role.isEmpty:
                try connection.respond(200, body: Array(document.utf8))
            default: try connection.respond(404)
            }
        }
    }

    private func instance(_ server: RawServer) throws -> InstanceCredentials {
        InstanceCredentials(
            client: try HTTPBench.client(),
            environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(server.port)/"])
    }

    @Test func `an instance's, by a session`() async throws {
        let server = try metadata()
        #expect(try await instance(server).credentials() == Self.documented)
        #expect(server.requests.map(\.method) == ["PUT", "GET", "GET"])
    }

    @Test func `an instance without a role has none`() async throws {
        let server = try metadata(role: "")
        let error = await transferError { _ = try await instance(server).credentials() }
        #expect(error?.code == .credentials && error?.isRetryable == false)
        #expect(server.requests.count == 2)
    }

    @Test func `an answer without credentials is a failure that may pass`() async throws {
        for document in ["{\"Code\": \"Failed\"}", "", "[]", "{\"Code\": \"Success\", \"AccessKeyId\": \"A\"}"] {
            let server = try metadata(document)
            let error = await transferError { _ = try await instance(server).credentials() }
            #expect(error?.code == .credentials && error?.isRetryable == true)
            #expect(server.requests.count == 3)
        }
    }

    // MARK: Chains

    @Test func `a chain passes over who has none`() async throws {
        let server = try metadata()
        let chain = CredentialsChain([
            EnvironmentCredentials([:]), ContainerCredentials(client: try HTTPBench.client(), environment: [:]),
            try instance(server),
        ])
        #expect(try await chain.credentials() == Self.documented)
        #expect(server.requests.count == 3)
    }

    @Test func `a chain does not pass over who should have some`() async throws {
        let broken = ScriptedCredentials([.failure(TransferError(.credentials, "broken", isRetryable: true))])
        let chain = CredentialsChain([EnvironmentCredentials([:]), broken, EnvironmentCredentials(Self.environment)])
        #expect(await transferError { _ = try await chain.credentials() }?.message == "broken")
    }

    @Test func `a chain without any says what each of them said`() async throws {
        let error = await transferError {
            _ = try await CredentialsChain.standard(
                client: try HTTPBench.client(), environment: ["AWS_EC2_METADATA_DISABLED": "true"]
            ).credentials()
        }
        #expect(error?.code == .credentials)
        let text = error.map { "\($0)" } ?? ""
        for word in ["environment", "container", "turned off"] { #expect(text.contains(word), "\(word)") }
    }
}
