import Foundation
package import Transfer

/// moto's S3 server, which behaves as S3 does: a process of its own on a free port of the loopback.
///
/// Looked for in `KILN_MOTO_PYTHON`, then in the virtual environment `.build/moto`, which `scripts/setup --test` makes.
/// It ends when the last reference goes.
package final class MotoServer: Sendable {
    /// A Python that has it; `nil` if there is none.
    package static let python: String? = {
        let package = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["KILN_MOTO_PYTHON"],
            package.appending(path: ".build/moto/bin/python").path,
        ]
        return candidates.compactMap { $0 }.first { path in
            FileManager.default.isExecutableFile(atPath: path)
                && FileManager.default.fileExists(
                    atPath: URL(filePath: path).deletingLastPathComponent().appending(path: "moto_server").path)
        }
    }()

    /// For `.enabled(if:)`.
    package static let absence: String = "no moto: scripts/setup --test gets it from PyPI"

    private let process: Process
    /// "http://127.0.0.1:4711"
    package let endpoint: String

    /// One for all tests of the process: it takes seconds to start. It ends with the process.
    package static func shared() async throws -> MotoServer { try await sharedStart.value }
    private static let sharedStart = Task { try await MotoServer() }

    /// Starts it and waits until it listens.
    package init() async throws {
        guard let python = Self.python else { throw RawServerError(Self.absence) }
        process = Process()
        process.executableURL = URL(filePath: python)
        // Port 0: the system picks one that is free, so that two runs never meet.
        process.arguments = ["-u", "-c", Self.script]
        let output = Pipe()
        // Ends the script when this process ends, however it does.
        process.standardInput = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = try await BlockingThread.run {
            var line: [UInt8] = []
            while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 { line.append(byte) }
            return String(decoding: line, as: UTF8.self)
        }
        guard let port = Int(line) else {
            process.terminate()
            throw RawServerError("moto did not start")
        }
        endpoint = "http://127.0.0.1:\(port)"
    }

    deinit { process.terminate() }

    private static let script = """
        import os, sys, threading
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server
        server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
        print(server.server_port, flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        server.serve_forever()
        """

    /// A new bucket in it.
    package func bucket(client: HTTPClient, checksum: ObjectChecksum.Algorithm = .md5) async throws -> S3Store {
        let name = "bucket-\(UInt32.random(in: .min ... .max))"
        let url = try HTTPURL(endpoint)
        var request = HTTPRequest(.put, try HTTPURL("\(endpoint)/\(name)"), destination: .trusted)
        SigV4(Self.credentials, region: "us-east-1", time: WallClock.now).sign(&request, payload: .empty)
        _ = try await client.send(request)
        return S3Store(
            bucket: name, settings: S3Settings(endpoint: url, region: "us-east-1", checksum: checksum),
            credentials: StaticCredentials(Self.credentials), client: client)
    }

    private static let credentials = Credentials(accessKeyID: "testing", secretAccessKey: "testing")
}
