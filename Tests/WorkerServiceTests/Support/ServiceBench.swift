import Foundation
import JobQueue
import Logging
import PostgresTestSupport
import ServiceLifecycle
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// A database with the queue, an object store, and the worker's service between them.
struct ServiceBench: QueueBench {
    /// "whsec_" is followed by this in base64.
    static let key = Array("a key of twenty-four by".utf8)

    let database: TestDatabase
    let server: S3Server
    let queue: QueueClient
    var configuration: WorkerConfiguration

    init(fault: @escaping @Sendable (S3Request) -> S3Fault? = { _ in nil }) async throws {
        database = try await PostgresCluster.shared.makeQueueDatabase()
        server = try S3Server(fault: fault)
        queue = try QueueClient(database.url)
        configuration = WorkerConfiguration(
            database: .init(url: database.url), storage: try StorageSettings(environment: Self.environment(server)))
        configuration.worker.retryDelay = .milliseconds(10)
        configuration.worker.shutdownGrace = .zero
        configuration.worker.cores = 2
        configuration.worker.memory = 4 << 30
        configuration.webhooks.secrets = [Self.key]
        configuration.network.guarding = AddressGuard(
            allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })
    }

    /// What the command is told of the store.
    static func environment(_ server: S3Server) -> [String: String] {
        [
            "AWS_ENDPOINT_URL_S3": server.endpoint, "AWS_REGION": server.settings.region,
            "AWS_ACCESS_KEY_ID": S3Server.credentials.accessKeyID,
            "AWS_SECRET_ACCESS_KEY": S3Server.credentials.secretAccessKey, "KILN_STORE": "s3://media",
        ]
    }

    /// Runs the service beside `body`, and ends it in good order behind it.
    func serving<R: Sendable>(
        middlewares: [any JobMiddleware] = [], callEngines: CallEngines = .standard,
        _ body: @escaping @Sendable (ServiceGroup) async throws -> R
    ) async throws -> R {
        var logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let service = try WorkerService(
            configuration, middlewares: middlewares, callEngines: callEngines, logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: service, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "worker")
                ], logger: logger))
        return try await withThrowingTaskGroup(of: R?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            tasks.addTask {
                let result: Result<R, any Error>
                do { result = .success(try await body(group)) } catch { result = .failure(error) }
                await group.triggerGracefulShutdown()
                return try result.get()
            }
            var answer: R?
            // Where the service cannot go on, `body` is cancelled.
            for try await part in tasks { answer = part ?? answer }
            return try #require(answer)
        }
    }

    // MARK: The command

    /// What the command is told of the database and the store.
    func environment(_ more: [String: String] = [:]) -> [String: String] {
        Self.environment(server).merging(["DATABASE_URL": database.url]) { $1 }.merging(more) { $1 }
    }

    /// Runs `kiln` beside `body`, and ends it in good order behind it.
    ///
    /// - Parameter body: gets what the process says while it runs.
    func command(
        _ arguments: [String], _ more: [String: String] = [:],
        _ body: @escaping @Sendable (ProcessLog) async throws -> Void
    ) async throws -> KilnProcess.Outcome {
        let log = ProcessLog()
        let environment = environment(more.merging(["LOG_FORMAT": "json"]) { given, _ in given })
        async let outcome = {
            defer { log.end() }
            return try await KilnProcess.run(arguments, environment: environment) { log.take($0, $1) }
        }()
        let result: Result<Void, any Error>
        do { result = .success(try await body(log)) } catch { result = .failure(error) }
        log.terminate()
        let ended = try await outcome
        do { try result.get() } catch {
            Issue.record("\(error); the process said:\n\(ended.error)")
            throw error
        }
        return ended
    }

    // MARK: Jobs

    func result(_ id: JobID) async throws -> JobResult {
        try await queue.wait(for: id, as: JobResult.self, timeout: .seconds(120))
    }
}

/// Tells when the first handler has ended.
struct EndFlag: JobMiddleware {
    let flag = AsyncFlag()

    func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
        defer { flag.raise() }
        return try await next()
    }
}

/// Clips in a store.
extension ServiceBench {
    /// Moving pictures and a tone, two seconds.
    func putClip(_ key: String = "in/clip.mkv", seconds: Double = 2, width: Int = 320, height: Int = 180) {
        server.put(key, TestClip.ordinary(seconds: seconds, width: width, height: height).bytes)
    }

    /// An object as a file, decoded by libav alone.
    func decoded(_ key: String, in folder: Scratch) throws -> DecodedMedia {
        let bytes = try #require(server.bytes(key))
        return try DecodedMedia(path: folder.put("out", bytes), pictureWidth: 320)
    }
}
