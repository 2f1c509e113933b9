import MediaKit
import Testing
import Transfer

@testable import Worker

@Suite struct StorageSettingsTests {
    private func problems(_ environment: [String: String]) -> MediaError? {
        do {
            _ = try StorageSettings(environment: environment)
            return nil
        } catch { return error }
    }

    @Test func `Without a setting, s3 is AWS in us-east-1`() throws {
        let settings = try StorageSettings(environment: [:])
        #expect(settings.s3 == S3Settings(region: "us-east-1"))
        #expect(settings.credentials == nil && settings.defaultStore == nil)
    }

    @Test func `AWS variables name another service`() throws {
        let settings = try StorageSettings(environment: [
            "AWS_ENDPOINT_URL": "http://other:1", "AWS_ENDPOINT_URL_S3": "http://minio:9000",
            "AWS_DEFAULT_REGION": "eu-central-1", "AWS_CA_BUNDLE": "/etc/ca.pem",
        ])
        #expect(settings.s3.endpoint == (try HTTPURL("http://minio:9000")))
        #expect(settings.s3.region == "eu-central-1")
        #expect(settings.certificateAuthorities == "/etc/ca.pem")
    }

    @Test func `R2 comes before AWS, with its own keys and by path`() async throws {
        let settings = try StorageSettings(environment: [
            "R2_ENDPOINT": "https://account.r2.cloudflarestorage.com", "R2_ACCESS_KEY_ID": "id",
            "R2_SECRET_ACCESS_KEY": "secret", "R2_BUCKET_NAME": "media", "AWS_REGION": "eu-central-1",
        ])
        #expect(settings.s3.region == "auto" && settings.s3.addressing == .path)
        #expect(settings.defaultStore == .bucket("media"))
        let credentials = settings.credentials?.credentials()
        #expect(credentials?.accessKeyID == "id")
    }

    @Test func `What store means can be said`() throws {
        #expect(try StorageSettings(environment: ["KILN_STORE": "/srv/media"]).defaultStore == .folder("/srv/media"))
        #expect(
            try StorageSettings(environment: ["KILN_STORE": "s3://media", "R2_BUCKET_NAME": "other"]).defaultStore
                == .bucket("media"))
    }

    @Test func `All that is wrong is told at once, without the values`() throws {
        let error = try #require(
            problems(["R2_ENDPOINT": "secret://x", "R2_SECRET_ACCESS_KEY": "word", "KILN_STORE": "media"]))
        #expect(error.code == .configuration)
        for name in ["R2_ENDPOINT", "R2_ACCESS_KEY_ID", "KILN_STORE"] { #expect(error.message.contains(name)) }
        #expect(!error.message.contains("R2_SECRET_ACCESS_KEY") && !error.message.contains("word"))
        #expect(ExitStatus(error.code) == .configuration)
    }
}
