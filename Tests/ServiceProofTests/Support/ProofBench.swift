import Foundation
import JobQueue
import Locking
import Logging
import PostgresTestSupport
import ServiceTestSupport
import TestSupport
import Transfer
import TransferTestSupport

@testable import Worker

/// A database, a store, and workers between them that are processes of their own.
struct ProofBench: QueueBench {
    /// What webhooks and requests to the app are signed with.
    static let key = Array("a key of exactly thirty-two byte".utf8)

    let database: TestDatabase
    let queue: QueueClient
    /// What `store://` means to the workers.
    let store: S3Store
    /// What the workers are told.
    let environment: [String: String]
    private let workers = Locked<[RunningKiln]>([])

    /// - Parameters:
    ///   - storage: what the workers are told of the store.
    ///   - database: `nil` for a new one with the queue in it.
    private init(store: S3Store, storage: [String: String], database: TestDatabase?) async throws {
        var home = database
        if home == nil { home = try await PostgresCluster.shared.makeQueueDatabase() }
        guard let home else { throw BenchFailure("there is no database") }
        self.database = home
        self.store = store
        queue = try QueueClient(home.url)
        let settings = [
            "DATABASE_URL": home.url, "KILN_STORE": store.name, "KILN_ALLOWED_NETWORKS": "127.0.0.0/8",
            "KILN_WEBHOOK_SECRET": "whsec_" + Data(Self.key).base64EncodedString(), "KILN_CORES": "2",
            // So long that a worker which a busy machine holds up does not lose its jobs; see ``endLease(of:)``.
            "KILN_LEASE": "60s", "KILN_MEMORY": "4Gi", "RETRY_DELAY_MS": "100", "LOG_FORMAT": "json",
        ]
        environment = settings.merging(storage) { $1 }
    }

    /// With a store that looks closely and misbehaves as told.
    static func on(_ server: S3Server, database: TestDatabase? = nil) async throws -> ProofBench {
        let store = S3Store(
            bucket: server.settings.bucket,
            settings: S3Settings(endpoint: try HTTPURL(server.endpoint), region: server.settings.region),
            credentials: StaticCredentials(S3Server.credentials), client: try HTTPClient())
        return try await ProofBench(
            store: store, storage: Self.storage(server.endpoint, S3Server.credentials), database: database)
    }

    /// With moto's.
    static func onMoto(database: TestDatabase? = nil) async throws -> ProofBench {
        let moto = try await MotoServer.shared()
        let store = try await moto.bucket(client: try HTTPClient())
        return try await ProofBench(
            store: store,
            storage: Self.storage(
                moto.endpoint, Credentials(accessKeyID: "testing", secretAccessKey: "testing")), database: database)
    }

    private static func storage(_ endpoint: String, _ credentials: Credentials) -> [String: String] {
        [
            "AWS_ENDPOINT_URL_S3": endpoint, "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": credentials.accessKeyID, "AWS_SECRET_ACCESS_KEY": credentials.secretAccessKey,
        ]
    }

    // MARK: Workers

    /// Starts a worker, and returns when it takes jobs. It is killed with the bench.
    func worker(_ settings: [String: String] = [:], _ arguments: [String] = []) async throws -> RunningKiln {
        let worker = try RunningKiln(["worker"] + arguments, environment: environment.merging(settings) { $1 })
        workers.withLock { $0.append(worker) }
        return try await until {
            guard !worker.hasEnded else { throw BenchFailure("the worker has ended:\n\(worker.log())") }
            return try await queue.workers().contains { $0.pid == Int(worker.pid) && $0.state == "alive" }
                ? worker : nil
        }
    }

    /// What the workers have said of late, for a test that failed.
    var logs: String {
        workers.withLock { $0 }.map { "worker \($0.pid):\n\($0.log(lines: 40))" }.joined(separator: "\n")
    }

    /// The process that has a job, or had it last.
    func process(of job: JobInfo) async throws -> Int? {
        try await queue.workers().first { $0.id == job.worker }?.pid
    }

    // MARK: Jobs

    func result(_ id: JobID, within limit: Duration = .seconds(240)) async throws -> JobResult {
        do {
            return try await queue.wait(for: id, as: JobResult.self, timeout: limit)
        } catch {
            throw BenchFailure("\(error)\n\(logs)")
        }
    }

    /// A job in its middle: the database tells of its progress, and the store has parts of its output.
    func middle(of id: JobID, on server: S3Server) async throws {
        _ = try await until { () async throws -> Bool? in
            guard let progress = try await queue.job(id)?.progress, progress.phase == "processing",
                let fraction = progress.fraction, fraction > 0
            else { return nil }
            return server.uploads.contains { !$0.parts.isEmpty } ? true : nil
        }
    }

    // MARK: The store

    func put(_ key: String, _ bytes: [UInt8]) async throws {
        _ = try await store.put(key, bytes, options: ObjectOptions())
    }

    /// The size of an object, by HEAD; `nil` if that says 404.
    func size(of key: String) async throws -> Int64? {
        do {
            return try await store.head(key).size
        } catch let error as TransferError where error.code == .notFound {
            return nil
        }
    }

    /// A result's object as a file.
    func file(_ result: JobResult, in folder: Scratch) async throws -> String {
        guard let key = result.key else { throw BenchFailure("the result has no key") }
        let bytes = try await store.read(key, range: nil, ifMatch: nil) { content in
            var bytes: [UInt8] = []
            for try await chunk in content.bytes { bytes += chunk }
            return bytes
        }
        guard Int64(bytes.count) == result.size else {
            throw BenchFailure("\(key) has \(bytes.count) bytes, and its result says \(result.size ?? -1)")
        }
        return try folder.put(key.split(separator: "/").last.map(String.init) ?? "out", bytes)
    }

    /// Does what workers do once a minute, until no upload is left that is neither completed nor aborted.
    func sweepUploads() async throws {
        let stores = try StorageSettings(environment: environment).stores(web: .guarded)
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let sweeper = UploadSweeper(queue: queue, stores: stores, logger: quiet)
        _ = try await until { () async throws -> Bool? in
            try await sweeper.sweep()
            return try await store.listUploads(prefix: "").isEmpty ? true : nil
        }
    }
}
