import Transfer
import TransferTestSupport

@testable import Server

/// A store that speaks S3, and the settings of a server that uses it.
struct TestStore: Sendable {
    let server: S3Server
    let stores: Stores

    init() throws {
        server = try S3Server()
        let client = try HTTPClient()
        let settings = S3Settings(endpoint: try HTTPURL(server.endpoint), region: "us-east-1", addressing: .path)
        let credentials = StaticCredentials(S3Server.credentials)
        let store = S3Store(bucket: "media", settings: settings, credentials: credentials, client: client)
        stores = Stores(client: client, defaultStore: store, s3: settings, credentials: credentials)
    }
}
