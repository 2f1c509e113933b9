import Foundation
import Locking
import ProcessTestSupport

/// nghttpd, a server that speaks HTTP/2 over TLS, with a certificate for "localhost" made on the spot.
///
/// Serves the files of `folder`, and echoes what is uploaded. Ends with its last reference.
package final class HTTP2Server: Sendable {
    package let port: Int
    /// What it serves, ending in "/".
    package let folder: String
    /// The certificate in PEM, which is its own authority.
    package let certificate: String
    private let process: Locked<Process>

    /// Whether the commands that it takes are installed.
    package static var isAvailable: Bool { find("nghttpd") != nil && find("openssl") != nil }

    /// Starts it, and waits until it listens.
    package init() throws {
        guard let nghttpd = Self.find("nghttpd"), let openssl = Self.find("openssl") else {
            throw RawServerError("nghttpd or openssl is not installed")
        }
        let folder = NSTemporaryDirectory() + "kiln-http2-\(UUID().uuidString)/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.folder = folder
        certificate = folder + "certificate.pem"
        let maker = Process()
        maker.executableURL = URL(fileURLWithPath: openssl)
        maker.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder + "key.pem", "-out",
            certificate,
        ]
        maker.standardError = FileHandle.nullDevice
        try maker.run()
        guard maker.waitForOwnEnd() == 0 else { throw RawServerError("openssl cannot make a certificate") }
        // It cannot choose a port by itself. Another process may take this one first: then it ends, and the next is tried.
        var started: (Process, Int)?
        for _ in 0..<5 where started == nil {
            let listener = try RawSocket.listen("127.0.0.1", backlog: 1)
            let port = RawSocket.port(of: listener)
            close(listener)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: nghttpd)
            process.arguments = [
                "--address=127.0.0.1", "--htdocs=\(folder)", "--echo-upload", "\(port)", folder + "key.pem",
                certificate,
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            if Self.waitUntilOpen(port, process) { started = (process, port) }
        }
        guard let started else { throw RawServerError("nghttpd does not start") }
        process = Locked(started.0)
        port = started.1
    }

    deinit {
        process.withLock { process in
            process.terminate()
            _ = process.waitForOwnEnd()
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// "https://localhost:4711/path"
    package func url(_ path: String = "/") -> String { "https://localhost:\(port)\(path)" }

    private static func waitUntilOpen(_ port: Int, _ process: Process) -> Bool {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        while process.isRunning {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            let result = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if result == 0 { return true }
            usleep(20_000)
        }
        return false
    }

    private static func find(_ command: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":") + ["/usr/sbin"]).map { "\($0)/\(command)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
