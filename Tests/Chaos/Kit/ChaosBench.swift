import Foundation
import JobQueue
import Locking
import Logging
import PostgresTestSupport

let quiet = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }

/// A database with the queue and its observatory, workers in processes of their own, and a producer.
final class ChaosBench: Sendable {
    /// How an experiment is set up.
    struct Setup: Sendable {
        var executable: URL
        var lease: Duration
        var workers = 3
        var slots = 4
        /// Jobs per second, about.
        var rate = 60.0
        /// Each worker reaches the server through a proxy of its own.
        var isProxied = false
        /// Lines for postgresql.conf of a cluster of its own; nil: that of this process, which is not to be stopped.
        var configuration: [String]?

        init(executable: URL, lease: Duration) {
            self.executable = executable
            self.lease = lease
        }
    }

    let setup: Setup
    let database: TestDatabase
    let proxies: [BlackholeProxy]
    let workers: [WorkerProcess]
    let producer: Producer
    /// Connections to look into the database, opened before anything goes wrong.
    let pool: PostgresPool
    let found = Locked(Findings())
    private let folder: URL
    /// How long the server's log was at the beginning.
    private let logBefore: Int

    /// What faults leave to be counted.
    struct Findings: Sendable {
        var faults = 0
        /// Claims that a fault tore from their worker, and when.
        var torn: [(claim: HeldClaim, at: Date)] = []
        /// When the database could be reached again.
        var restored: [Date] = []
        var zombieWritesRefused = 0
        var zombieWritesAccepted: [String] = []
    }

    private init(
        _ setup: Setup, _ database: TestDatabase, _ folder: URL, _ proxies: [BlackholeProxy],
        _ workers: [WorkerProcess], _ pool: PostgresPool, _ producer: Producer
    ) {
        self.setup = setup
        self.database = database
        self.folder = folder
        self.proxies = proxies
        self.workers = workers
        self.pool = pool
        self.producer = producer
        logBefore = database.cluster.serverLog.count
    }

    /// Sets up, runs `body`, and takes everything down, whatever happens.
    static func with<R: Sendable>(_ setup: Setup, _ body: (ChaosBench) async throws -> R) async throws -> R {
        var own: PostgresCluster?
        if let lines = setup.configuration { own = try await PostgresCluster.start(configuration: lines) }
        do {
            let bench = try await make(setup, own)
            let result: Result<R, any Error>
            do {
                result = .success(try await body(bench))
            } catch {
                result = .failure(error)
            }
            await bench.takeDown()
            await own?.remove()
            return try result.get()
        } catch {
            await own?.remove()
            throw error
        }
    }

    private static func make(_ setup: Setup, _ own: PostgresCluster?) async throws -> ChaosBench {
        var cluster = own
        if cluster == nil { cluster = try await PostgresCluster.shared }
        guard let cluster else { throw ChaosError("there is no cluster") }
        let database = try await cluster.makeDatabase(template: "chaos") { url in
            try await Migrations(url, logger: quiet).migrate()
            let connection = try await PostgresConnection.connect(PostgresSettings(url), logger: quiet)
            try await connection.script(Observatory.script)
            await connection.close()
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-chaos-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var proxies: [BlackholeProxy] = []
        var workers: [WorkerProcess] = []
        for number in 1..<(setup.workers + 1) {
            var url = database.url
            if setup.isProxied {
                let proxy = try BlackholeProxy(to: cluster.port)
                proxies.append(proxy)
                url = database.tcpURL(port: proxy.port)
            }
            let settings = WorkerSettings(
                url: url + "&application_name=chaos.worker",
                recordURL: database.url + "&application_name=chaos.records", name: "worker \(number)",
                slots: setup.slots, lease: setup.lease / .seconds(1))
            workers.append(
                try WorkerProcess(
                    settings, executable: setup.executable, log: folder.appending(path: "worker-\(number).log")))
        }
        var settings = try PostgresSettings(database.url + "&application_name=chaos.observer")
        settings.statementTimeout = .seconds(10)
        let pool = PostgresPool(settings, options: .init(size: 2, acquireTimeout: .seconds(5)), logger: quiet)
        let producer = try Producer(database.url + "&application_name=chaos.producer", rate: setup.rate)
        return ChaosBench(setup, database, folder, proxies, workers, pool, producer)
    }

    private func takeDown() async {
        await producer.stop()
        for worker in workers { await worker.dismiss() }
        for proxy in proxies { proxy.close() }
        await pool.close()
        // KEEP_CHAOS_LOGS: for those who look for the cause of a failure.
        if ProcessInfo.processInfo.environment["KEEP_CHAOS_LOGS"] == nil {
            try? FileManager.default.removeItem(at: folder)
        }
    }

    // MARK: Looking

    /// Runs a query, again while the server is away.
    func query(_ sql: String, _ parameters: [(any PostgresEncodable)?] = []) async throws -> PostgresRows {
        try await pool.retrying(for: .seconds(60)) {
            try await pool.withConnection { try await $0.query(sql, parameters) }
        }
    }

    func value<T: PostgresDecodable & Sendable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], as type: T.Type = T.self
    ) async throws -> T {
        guard let row = try await query(sql, parameters).first else { throw ChaosError("no rows: \(sql)") }
        return try row.decode(0)
    }

    /// Looks until `condition` holds.
    ///
    /// - Returns: whether it came to hold in time.
    @discardableResult
    func wait(within limit: Duration, _ condition: () async throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            if try await condition() { return true }
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Waits until the workers are at work.
    func waitForWork() async throws {
        let isBusy = try await wait(within: .seconds(30)) {
            try await value(
                "SELECT (SELECT count(*) FROM chaos.finish) >= 20 AND (SELECT count(*) FROM kiln.worker) >= $1",
                [setup.workers])
        }
        guard isBusy else { throw ChaosError("the workers did not begin to work within 30 s\n\(workerLogs)") }
    }

    /// How many deadlocks the server has logged since the beginning: its own counters do not outlive a crash.
    var deadlocks: Int {
        let news = database.cluster.serverLog.dropFirst(logBefore)
        return String(decoding: news, as: UTF8.self).split(separator: "\n").count { $0.contains("deadlock detected") }
    }

    /// Stops the producer and waits until no job is left.
    func settle(within limit: Duration) async throws -> Bool {
        await producer.stop()
        return try await wait(within: limit) { try await !value("SELECT EXISTS (SELECT FROM kiln.job)", as: Bool.self) }
    }

    /// The last lines of what the workers said.
    var workerLogs: String {
        workers.indices.map { index in
            let log = folder.appending(path: "worker-\(index + 1).log")
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").suffix(10).joined(separator: "\n")
        }.joined(separator: "\n--\n")
    }
}

extension PostgresCluster {
    /// Everything that the server has logged; nothing if that cannot be read.
    fileprivate var serverLog: Data { (try? Data(contentsOf: folder.appending(path: "log"))) ?? Data() }
}
