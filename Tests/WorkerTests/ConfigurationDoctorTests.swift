import Dispatch
import Foundation
import JobQueue
import MediaKit
import PostgresTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// What the doctor says of real parts.
@Suite struct ConfigurationDoctorTests {
    private func examine(
        _ environment: [String: String], _ checks: (any DoctorCheck)..., limit: Duration = .seconds(60)
    ) async -> DoctorReport {
        let loaded = ConfigurationLoader.load(environment: environment)
        return await Doctor(checks: checks, limit: limit).examine(DoctorContext(loaded: loaded))
    }

    // MARK: Speech

    @Test func `A server of one's own that recognises speech needs no key`() async throws {
        let own = await examine(
            ["KILN_SPEECH_ENGINE": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"], SpeechCheck())
        #expect(own.checks.map(\.verdict) == [.ok], "\(own.text)")
        let openAI = await examine(["KILN_SPEECH_ENGINE": "openai"], SpeechCheck())
        #expect(openAI.checks.map(\.verdict) == [.wrong] && openAI.text.contains("OPENAI_API_KEY"), "\(openAI.text)")
    }

    @Test func `A model of whisper.cpp without its library is wrong`() async throws {
        let folder = try Scratch()
        let model = try folder.put("ggml-base.bin", [1, 2, 3])
        let report = await examine(
            ["WHISPER_MODEL": model, "WHISPER_LIBRARY": "/nowhere/libwhisper.so"], SpeechCheck())
        #expect(report.checks.map(\.verdict) == [.wrong] && report.text.contains("libwhisper"), "\(report.text)")
    }

    // MARK: Database

    @Test func `A database with the queue in it is well`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let report = await examine(["DATABASE_URL": database.url], DatabaseCheck(), SchemaCheck(), ClockCheck())
        #expect(report.isHealthy, "\(report.text)")
        #expect(report.checks.map(\.verdict) == [.ok, .ok, .ok], "\(report.text)")
        #expect(report.text.contains("Postgres ") && report.text.contains("may run jobs and enqueue them"))
    }

    @Test func `A database without the queue is told how to get it`() async throws {
        let database = try await PostgresCluster.shared.makeDatabase()
        let report = await examine(["DATABASE_URL": database.url], DatabaseCheck(), SchemaCheck())
        #expect(!report.isHealthy && report.checks.map(\.verdict) == [.ok, .wrong], "\(report.text)")
        #expect(report.text.contains("-> run: kiln migrate\n"))
        let other = await examine(["DATABASE_URL": database.url, "KILN_SCHEMA": "jobs"], SchemaCheck())
        #expect(other.text.contains("-> run: kiln migrate --schema 'jobs'\n"))
    }

    @Test func `A migration that is missing is named`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let last = try await Migrations(database.url).status().applied.last
        let version = try #require(last?.version)
        _ = try await database.psql("DELETE FROM kiln.migration WHERE version = \(version)")
        let report = await examine(["DATABASE_URL": database.url], SchemaCheck())
        #expect(report.checks.first?.verdict == .wrong)
        #expect(report.text.contains("1 migration is missing in the schema kiln: \(version) (\(last?.name ?? ""))"))
    }

    @Test func `The rights of the role are looked at`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let worker = try await database.makeLogin(in: "kiln_worker")
        let working = await examine(["DATABASE_URL": worker.url], DatabaseCheck(), SchemaCheck())
        #expect(working.isHealthy, "\(working.text)")
        #expect(!working.text.contains(worker.password))

        let producer = try await database.makeLogin(in: "kiln_producer")
        let producing = await examine(["DATABASE_URL": producer.url], DatabaseCheck())
        #expect(!producing.isHealthy && producing.text.contains("kiln_worker"), "\(producing.text)")
        // It is all that the API needs.
        let serving = await examine(["DATABASE_URL": producer.url, "RUN_WORKERS": "false"], DatabaseCheck())
        #expect(serving.isHealthy, "\(serving.text)")

        let nobody = try await database.makeLogin(in: nil)
        let refused = await examine(["DATABASE_URL": nobody.url], DatabaseCheck())
        #expect(!refused.isHealthy && refused.text.contains("kiln_worker"), "\(refused.text)")
    }

    @Test func `A database that does not answer is wrong, and nothing else is`() async throws {
        let folder = try Scratch()
        let report = await examine(
            [
                "DATABASE_URL": "postgresql://app:s3cr3t@127.0.0.1:1/app", "KILN_STORE": folder.path,
            ], DatabaseCheck(), StoreCheck(), MemoryCheck())
        #expect(report.checks.map(\.name) == ["database", "store", "memory"])
        #expect(report.checks.first?.verdict == .wrong && report.checks.dropFirst().allSatisfy { $0.verdict != .wrong })
        #expect(!report.text.contains("s3cr3t"), "\(report.text)")
        #expect(report.text.hasSuffix("a worker cannot do its work here: database"))
    }

    @Test func `Without a database, what needs one is not looked at`() async throws {
        let report = await examine([:], SettingsCheck(), DatabaseCheck(), SchemaCheck(), ClockCheck())
        #expect(report.checks.map(\.verdict) == [.wrong, .skipped, .skipped, .skipped])
        #expect(report.text.contains("DATABASE_URL is not set"))
    }

    @Test(
        arguments: [
            (0.2, 0.01, .ok), (-0.2, 0.01, .ok), (5, 0.01, .note), (-300, 0.01, .wrong), (3, 8, .ok),
        ] as [(Double, Double, DoctorFinding.Verdict)])
    func `A clock may be a little wrong`(offset: Double, roundTrip: Double, verdict: DoctorFinding.Verdict) {
        let finding = ClockCheck.finding(offset: offset, roundTrip: roundTrip)
        #expect(finding.verdict == verdict)
        #expect(finding.text.contains(offset < 0 ? "ahead of" : "behind"))
    }

    // MARK: Store

    @Test func `A folder takes the probe and keeps nothing of it`() async throws {
        let folder = try Scratch()
        let report = await examine(["KILN_STORE": folder.path], StoreCheck())
        #expect(report.isHealthy && folder.names.isEmpty, "\(report.text)")
        let missing = await examine(["KILN_STORE": folder("nowhere")], StoreCheck(), DiskCheck())
        #expect(missing.checks.map(\.verdict) == [.wrong, .wrong], "\(missing.text)")
    }

    private func environment(_ server: S3Server) -> [String: String] {
        [
            "AWS_ENDPOINT_URL_S3": server.endpoint, "AWS_REGION": server.settings.region,
            "AWS_ACCESS_KEY_ID": S3Server.credentials.accessKeyID,
            "AWS_SECRET_ACCESS_KEY": S3Server.credentials.secretAccessKey, "KILN_STORE": "s3://media",
        ]
    }

    @Test func `A bucket that may be written and not read is told, and the probe removed`() async throws {
        let server = try S3Server { request in
            request.operation == .get ? .status(403, code: "AccessDenied") : nil
        }
        let report = await examine(environment(server), StoreCheck())
        #expect(!report.isHealthy && report.text.contains("403"), "\(report.text)")
        #expect(server.keys.isEmpty)
    }

    @Test func `A probe that was taken without an answer is removed`() async throws {
        let server = try S3Server { $0.operation == .put ? .loseAnswer : nil }
        let report = await examine(environment(server), StoreCheck())
        #expect(!report.isHealthy && server.keys.isEmpty, "\(report.text)")
    }

    @Test func `Without a key for webhooks there is a note`() async throws {
        let without = await examine([:], WebhookCheck())
        #expect(without.checks.map(\.verdict) == [.note] && without.text.contains("KILN_WEBHOOK_SECRET"))
        let secret = "whsec_c3MzY3IzdHMzY3IzdHMzY3IzdHMzY3IzdA=="
        let with = await examine(["KILN_WEBHOOK_SECRET": secret], WebhookCheck())
        #expect(with.checks.map(\.verdict) == [.ok] && !with.text.contains("c3Mz"))
    }

    @Test func `A bucket that lets nothing be deleted is told`() async throws {
        let server = try S3Server { request in
            request.operation == .delete ? .status(403, code: "AccessDenied") : nil
        }
        let report = await examine(environment(server), StoreCheck())
        #expect(report.text.contains("cannot be deleted"), "\(report.text)")
        #expect(!report.text.contains("Signature"))
    }

    @Test(.enabled(if: MotoServer.python != nil, Comment(rawValue: MotoServer.absence)))
    func `A bucket is written, read, read by a presigned URL, and emptied`() async throws {
        let moto = try await MotoServer.shared()
        let store = try await moto.bucket(client: try HTTPClient())
        let report = await examine(
            [
                "AWS_ENDPOINT_URL_S3": moto.endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing", "KILN_STORE": store.name,
            ], StoreCheck())
        #expect(report.checks.map(\.verdict) == [.ok], "\(report.text)")
        #expect(try await store.list(prefix: "", from: nil, limit: 10).objects.isEmpty)
        let missing = await examine(
            [
                "AWS_ENDPOINT_URL_S3": moto.endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing", "KILN_STORE": "s3://no-such-bucket",
            ], StoreCheck())
        #expect(!missing.isHealthy, "\(missing.text)")
    }

    // MARK: The machine

    @Test func `The libraries of this machine encode what requests need`() async throws {
        let report = await examine([:], CodecCheck())
        #expect(report.isHealthy && report.text.contains("h264 ("), "\(report.text)")
        var bare = try Capabilities.current()
        bare.video[0].encoder = nil
        bare.audio[bare.audio.count - 1].encoder = nil
        let findings = CodecCheck.findings(bare)
        #expect(Array(findings.map(\.verdict).prefix(3)) == [.ok, .wrong, .note])
        #expect(findings[1].text.contains("no encoder for h264"))
    }

    @Test func `Fonts that are missing are told by the writing that needs them`() async throws {
        let here = await examine([:], FontCheck())
        #expect(here.checks.first?.findings.first?.text.contains("Latin") == true, "\(here.text)")
        let findings = FontCheck.findings(missing: [0x6F22, 0x1F600], families: ["DejaVu Sans"])
        #expect(findings.map(\.verdict) == [.ok, .note, .note])
        #expect(findings[1].remedy == "apt-get install fonts-noto-cjk")
        #expect(findings[2].text.contains("emoji"))
        #expect(FontCheck.findings(missing: [0x41], families: ["Symbols"]).contains { $0.verdict == .wrong })
        #expect(FontCheck.findings(missing: [], families: []).map(\.verdict) == [.wrong])
    }

    @Test func `Memory and cores are those that the process may use`() {
        var worker = WorkerConfiguration.Work()
        worker.memory = 3 << 30
        worker.cores = 2
        let container = MemoryBudget(cgroup: 4 << 30, physical: 64 << 30)
        #expect(MemoryCheck.findings(worker, budget: container).map(\.verdict) == [.ok])
        let small = MemoryBudget(cgroup: 1 << 30, physical: 64 << 30)
        #expect(MemoryCheck.findings(worker, budget: small).first?.verdict == .wrong)
        worker.concurrency = 32
        #expect(MemoryCheck.findings(worker, budget: container).map(\.verdict) == [.ok, .note])
        #expect(CoreCheck.findings(worker, usable: 2, online: 8).first?.text.contains("of 8") == true)
        #expect(CoreCheck.findings(worker, usable: 1, online: 8).map(\.verdict) == [.note])
    }

    @Test func `A disk that is full, closed or missing is told`() {
        let place = DiskCheck.Place(path: "/srv", use: "the default store", needed: 100, comfortable: 1000)
        func verdict(_ room: DiskCheck.Room?) -> DoctorFinding.Verdict { DiskCheck.finding(place, room).verdict }
        #expect(verdict(.init(free: 5000, isWritable: true)) == .ok)
        #expect(verdict(.init(free: 500, isWritable: true)) == .note)
        #expect(verdict(.init(free: 50, isWritable: true)) == .wrong)
        #expect(verdict(.init(free: 5000, isWritable: false)) == .wrong)
        #expect(verdict(nil) == .wrong)
        #expect(DiskCheck.room("/")?.free ?? -1 >= 0 && DiskCheck.room("/no/such/place") == nil)
    }

    @Test func `A port that somebody has is told`() async throws {
        let server = try S3Server()
        let environment = [
            "ENABLE_HEALTH_CHECK": "true", "HEALTH_CHECK_ADDRESS": "127.0.0.1", "HEALTH_CHECK_PORT": "\(server.port)",
        ]
        let taken = await examine(environment, PortCheck())
        #expect(!taken.isHealthy && taken.text.contains("HEALTH_CHECK_PORT"), "\(taken.text)")
        let free = await examine(environment.merging(["HEALTH_CHECK_PORT": "0"]) { $1 }, PortCheck())
        #expect(free.isHealthy, "\(free.text)")
        let elsewhere = await examine(environment.merging(["HEALTH_CHECK_ADDRESS": "203.0.113.7"]) { $1 }, PortCheck())
        #expect(!elsewhere.isHealthy, "\(elsewhere.text)")
    }

    @Test func `A port that another Kiln has is none to worry about`() async throws {
        let server = try RawServer { connection in
            guard try connection.readHead() != nil else { return }
            let body = #"{"status": "healthy", "timestamp": "2026-01-01T00:00:00Z", "uptime": 12000, "workers": 1}"#
            try connection.write(
                "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        }
        let report = await examine(
            [
                "ENABLE_HEALTH_CHECK": "true", "HEALTH_CHECK_ADDRESS": "127.0.0.1",
                "HEALTH_CHECK_PORT": "\(server.port)",
            ], PortCheck())
        #expect(report.isHealthy && report.checks.first?.verdict == .note, "\(report.text)")
    }

    // MARK: The doctor

    /// A check that no answer comes to until it is let go.
    private struct Stuck: DoctorCheck {
        let name = "stuck"
        let end: DispatchSemaphore

        func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
            try await Bounded.blocking { end.wait() }
            return [.ok("at last")]
        }
    }

    @Test func `A check that hangs is given up, and the others' answers are told`() async throws {
        let end = DispatchSemaphore(value: 0)
        let report = await examine([:], Stuck(end: end), CoreCheck(), limit: .milliseconds(200))
        end.signal()
        #expect(report.checks.map(\.name) == ["stuck", "cores"])
        #expect(report.text.contains("no answer within 200ms"), "\(report.text)")
    }

    @Test func `The command says all of it, and by its exit code whether a worker can work`() async throws {
        let database = try await PostgresCluster.shared.makeQueueDatabase()
        let folder = try Scratch()
        let own = ["DATABASE_URL": database.url, "KILN_STORE": folder.path, "KILN_CONFIG": "", "REDIS_URL": ""]
        let well = try await KilnProcess.run(["doctor"], environment: own)
        #expect(well.status == 0, "\(well.text)\(well.error)")
        for name in Doctor().checks.map(\.name) { #expect(well.text.contains("  \(name)  ")) }
        #expect(well.text.hasSuffix("a worker can do its work here\n"))

        let ill = try await KilnProcess.run(
            ["doctor", "--json"], environment: own.merging(["DATABASE_URL": "", "WORKER_CONCURRENCY": "0"]) { $1 })
        #expect(ill.status == 1 && ill.error.isEmpty, "\(ill.error)")
        let report = try ill.decoded(DoctorReport.self)
        #expect(!report.isHealthy && report.checks.count == Doctor().checks.count)
        #expect(report.checks.first?.findings.count { $0.verdict == .wrong } == 2)
    }
}
