import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

@Suite(
    .enabled(if: PostgresCluster.openssl != nil, "needs the command openssl, to make certificates"),
    .timeLimit(.minutes(3)))
struct TLSTests {
    @Test func `the server's certificate is checked as the connection string says`() async throws {
        let cluster = try await PostgresCluster.start()
        let plain = try await cluster.makeQueueDatabase()
        func url(_ mode: String, _ more: String = "&host=localhost") -> String {
            plain.tcpURL().replacing("sslmode=disable", with: "sslmode=\(mode)&hostaddr=127.0.0.1\(more)")
                .replacing("@127.0.0.1:", with: "@:")
        }
        let refused = await queueError {
            _ = try await PostgresConnection.connect(PostgresSettings(url("require")), logger: quiet)
        }
        #expect(refused?.code == .cannotConnect && refused?.message.contains("SSL") == true)

        let (right, wrong) = (
            try await cluster.makeCertificate(named: "server"), try await cluster.makeCertificate(named: "other")
        )
        try await cluster.turnOnTLS(right)
        for (address, hasTLS) in [
            (url("require"), true), (url("verify-ca", "&host=elsewhere.example&sslrootcert=\(right.path)"), true),
            (url("verify-full", "&host=localhost&sslrootcert=\(right.path)"), true), (url("disable"), false),
        ] {
            let connection = try await PostgresConnection.connect(PostgresSettings(address), logger: quiet)
            #expect(
                try await connection.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == hasTLS,
                "\(address)")
            await connection.close()
        }
        for (more, word) in [
            ("&host=localhost&sslrootcert=\(wrong.path)", "certificate verify failed"),
            ("&host=elsewhere.example&sslrootcert=\(right.path)", "elsewhere.example"),
            ("&host=localhost&sslrootcert=\(right.path).none", "root certificate"),
        ] {
            let queue = try QueueClient(
                url("verify-full", more), options: .init(acquireTimeout: .zero), logger: quiet)
            let error = await queueError { _ = try await queue.jobs() }
            #expect(error?.code == .cannotConnect && error?.message.contains(word) == true, "\(error?.message ?? "")")
            #expect(error?.hint?.contains("sslrootcert") == true)
            #expect(error.map { "\($0)" }?.contains(PostgresCluster.password) == false)
            await queue.close()
        }

        // Everything that the queue does goes that way: pool, listener, lease and cancel requests.
        let address = url("verify-full", "&host=localhost&sslrootcert=\(right.path)")
        let queue = try QueueClient(address, logger: quiet)
        let worker = try QueueWorker(address, options: WorkerBench.options(), logger: quiet)
        worker.register("greet") { (job: Job<String>) in "hello \(job.payload)" }
        let work = Task { try await worker.run() }
        let id = try await queue.enqueue("greet", "you")
        #expect(try await queue.wait(for: id, as: String.self, timeout: .seconds(60)) == "hello you")
        let observer = try await PostgresConnection.connect(PostgresSettings(plain.url), logger: quiet)
        #expect(
            try await observer.value(
                """
                SELECT bool_and(s.ssl) AND count(*) >= 4 FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
                WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                """))
        await observer.close()
        worker.shutDown(grace: .zero)
        try await work.value
        await queue.close()
        await cluster.remove()
    }
}
