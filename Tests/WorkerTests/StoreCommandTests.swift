import MediaKit
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// The command with inputs and outputs in a store and on the web.
@Suite struct StoreCommandTests {
    /// A server with a clip of 4 s, and its words.
    private func server(fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }) async throws -> S3Server {
        let folder = try Scratch()
        _ = try await MediaEngine().run(
            SampleClip(
                output: folder("clip.mp4"), subtitles: folder("clip.srt"), seconds: 4, width: 320, height: 180))
        let server = try S3Server(fault: fault)
        server.put("in/clip.mp4", folder.bytes("clip.mp4"))
        server.put("in/clip.srt", folder.bytes("clip.srt"))
        return server
    }

    private func run(
        _ arguments: [String], _ server: S3Server, in folder: Scratch, environment: [String: String] = [:]
    ) async throws -> KilnProcess.Outcome {
        let own = [
            "AWS_ENDPOINT_URL_S3": server.endpoint, "AWS_REGION": server.settings.region,
            "AWS_ACCESS_KEY_ID": S3Server.credentials.accessKeyID,
            "AWS_SECRET_ACCESS_KEY": S3Server.credentials.secretAccessKey, "KILN_STORE": "s3://media",
        ]
        return try await KilnProcess.run(
            arguments, in: folder.path, environment: own.merging(environment) { $1 })
    }

    @Test func `A film in a bucket gets captions of the web and goes back into the bucket`() async throws {
        let server = try await server()
        let web = try RawServer { connection in
            guard try connection.readHead() != nil else { return }
            let text = "1\n00:00:00,500 --> 00:00:03,500\nfrom the web\n"
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        let folder = try Scratch()
        let outcome = try await run(
            [
                "burn", "s3://media/in/clip.mp4", "http://127.0.0.1:\(web.port)/words.srt?token=1",
                "s3://media/out/clip.mp4", "--preset", "ultrafast", "--json", "--progress", "json",
            ], server, in: folder)
        #expect(outcome.status == 0, "\(outcome.error)")
        let result = try outcome.decoded(RenderResult.self)
        #expect(result.output == "s3://media/out/clip.mp4")
        let made = try #require(server.bytes("out/clip.mp4"))
        #expect(made.count == Int(result.bytes))
        #expect(server["out/clip.mp4"]?.contentType == "video/mp4")
        #expect(server.uploads.isEmpty && server.refusals.isEmpty)
        #expect(outcome.error.contains("fraction"))
        let look = try DecodedMedia(path: folder.put("made.mp4", made), pictureWidth: 320)
        #expect(look.video != nil && look.audio != nil)
    }

    @Test func `What store means is the configured bucket`() async throws {
        let server = try await server()
        let folder = try Scratch()
        let outcome = try await run(
            ["extract-audio", "store://in/clip.mp4", "store://out/clip.wav"], server, in: folder)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(server["out/clip.wav"]?.contentType == "audio/wav")
        #expect((server.bytes("out/clip.wav") ?? []).starts(with: Array("RIFF".utf8)))
    }

    @Test func `What is there already is not replaced unless asked for`() async throws {
        let server = try await server()
        server.put("out/clip.mp4", [1, 2, 3])
        let folder = try Scratch()
        let arguments = ["transcode", "s3://media/in/clip.mp4", "s3://media/out/clip.mp4"]
        let refused = try await run(arguments, server, in: folder)
        #expect(refused.status == ExitStatus.cannotCreate.rawValue, "\(refused.error)")
        #expect(refused.error.contains("s3://media/out/clip.mp4"))
        #expect(server.bytes("out/clip.mp4") == [1, 2, 3])
        let replaced = try await run(arguments + ["-y"], server, in: folder)
        #expect(replaced.status == 0, "\(replaced.error)")
        #expect((server.bytes("out/clip.mp4") ?? []).count > 1000)
    }

    @Test func `An object that is not there, and one that is not to be read, are told apart from bad media`()
        async throws
    {
        let server = try await server { request in
            request.key == "in/closed.mp4" ? .status(403, code: "AccessDenied") : nil
        }
        let folder = try Scratch()
        let missing = try await run(["probe", "s3://media/in/nothing.mp4", "--json"], server, in: folder)
        #expect(missing.status == ExitStatus.noInput.rawValue, "\(missing.error)")
        #expect(missing.error.contains("s3://media/in/nothing.mp4"))
        let closed = try await run(["probe", "s3://media/in/closed.mp4", "--json"], server, in: folder)
        #expect(closed.status == ExitStatus.noInput.rawValue, "\(closed.error)")
        #expect(closed.error.contains("403"))
    }

    @Test func `Missing credentials are a matter of the settings`() async throws {
        let server = try await server()
        let folder = try Scratch()
        let outcome = try await run(
            ["probe", "s3://media/in/clip.mp4"], server, in: folder,
            environment: ["AWS_ACCESS_KEY_ID": "", "AWS_EC2_METADATA_DISABLED": "true"])
        #expect(outcome.status == ExitStatus.configuration.rawValue, "\(outcome.error)")
        #expect(outcome.error.contains("AWS_ACCESS_KEY_ID"))
    }

    @Test func `A signature in a URL is not shown when it fails`() async throws {
        let server = try await server()
        let folder = try Scratch()
        let outcome = try await run(
            ["probe", server.url("in/clip.mp4") + "?X-Amz-Signature=abcdef"], server, in: folder)
        #expect(outcome.status != 0)
        #expect(!outcome.error.contains("abcdef"), "\(outcome.error)")
    }

    @Test func `A film whose server has no ranges is read all the same, and the user told`() async throws {
        let server = try await server()
        let bytes = try #require(server.bytes("in/clip.mp4"))
        let web = try RawServer { connection in
            guard try connection.readHead() != nil else { return }
            try connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            try connection.write(bytes)
        }
        let folder = try Scratch()
        let outcome = try await run(
            ["transcode", "http://127.0.0.1:\(web.port)/clip.mp4", "out.mkv"], server, in: folder)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error.contains("no ranges"), "\(outcome.error)")
    }
}
