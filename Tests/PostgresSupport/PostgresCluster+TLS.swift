import Foundation

/// A certificate that signs itself, in a file, with its key in another.
package struct TestCertificate: Sendable {
    /// The certificate's path: what a client that trusts it gives as `sslrootcert`.
    package let path: String
    package let keyPath: String
}

extension PostgresCluster {
    /// The openssl command; nil if there is none.
    package static let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Makes a certificate for `localhost` and 127.0.0.1 in the cluster's folder.
    package func makeCertificate(named name: String) async throws -> TestCertificate {
        guard let openssl = Self.openssl else { throw PostgresClusterError("no openssl found") }
        let certificate = TestCertificate(
            path: folder.appending(path: "\(name).crt").path, keyPath: folder.appending(path: "\(name).key").path)
        try await blocking {
            _ = try Command.run(
                openssl,
                [
                    "req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    certificate.keyPath, "-out", certificate.path,
                ])
        }
        return certificate
    }

    /// Restarts the server with TLS.
    package func turnOnTLS(_ certificate: TestCertificate) async throws {
        try await configure([
            "ssl = on", "ssl_cert_file = '\(certificate.path)'", "ssl_key_file = '\(certificate.keyPath)'",
        ])
        try await restart()
    }
}
