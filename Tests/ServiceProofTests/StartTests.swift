import JobQueue
import ServiceTestSupport
import Testing

extension Proof {
    /// What is said before anything begins.
    @Suite struct StartTests {
        @Test func `Settings that are wrong are all named in one message, and the exit code is 78`() async throws {
            let worker = try RunningKiln(
                ["worker"],
                environment: [
                    "WORKER_CONCURRENCY": "many", "SHUTDOWN_GRACE": "soon", "R2_ENDPOINT": "https://r2.example",
                    "R2_SECRET_ACCESS_KEY": "hush-hush", "KILN_WEBHOOK_SECRET": "c2hvcnQ=",
                ])
            #expect(await worker.end() == 78)
            let log = worker.log()
            let lines = log.split(separator: "\n")
            #expect(lines.count == 6 && lines.first == "kiln: the settings have 5 problems:", "\(log)")
            for name in [
                "DATABASE_URL", "WORKER_CONCURRENCY", "SHUTDOWN_GRACE", "R2_ACCESS_KEY_ID", "KILN_WEBHOOK_SECRET",
            ] {
                #expect(lines.count { $0.hasPrefix("  - \(name) ") } == 1, "\(log)")
            }
            #expect(!log.contains("hush-hush") && !log.contains("c2hvcnQ="))
        }
    }
}
