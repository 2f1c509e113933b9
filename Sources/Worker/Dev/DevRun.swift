import FoundationEssentials
import Glibc
import JobQueue
import Logging
import MediaKit
import Server
import ServiceLifecycle
import Synchronization
import Transfer

/// `kiln dev` from start to end: a service with a Postgres and a store of its own, and a video through it. Run once.
final class DevRun: Sendable {
    /// What it is asked for.
    struct Plan: Sendable {
        /// The folder that it works in; absolute.
        var folder: String
        /// A path; `nil` for none.
        var video: String?
        /// Whether a clip is made where there is no video.
        var makesSample = false
        /// Where the result goes; `nil` for `out/NAME.captioned.EXTENSION`.
        var output: String?
        /// Whether it goes on serving when the video is done.
        var serves = false
        var keeps = false
        var port: Int?
        var json = false
        var isQuiet = false
        var progress = ProgressMode.auto
    }

    /// What `--json` prints.
    struct Report: Encodable {
        var output: String
        var job: String
        var result: JobResult
        var speech: SpeechSummary?
    }

    let plan: Plan
    let logger: Logger
    /// Whether what was asked for is done, and nothing but a signal is waited for.
    private let isServing = Atomic<Bool>(false)

    init(_ plan: Plan, logger: Logger) {
        self.plan = plan
        self.logger = logger
    }

    /// Runs until the video is done, or the task is cancelled; by then nothing is left running.
    ///
    /// - Throws: `MediaError` with code `cancelled` if it was cancelled before the video was done.
    func run() async throws {
        do {
            let video = try await video()
            let folder = try await DevFolder.claim(in: plan.folder, keeping: plan.keeps)
            let (postgres, leash) = try await prepared(folder)
            let result: Result<Void, any Error>
            do {
                try await serve(video, folder, postgres, leash)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            // Also when it was cancelled: in a task of its own, which is not.
            await Task { await leash.release() }.value
            try result.get()
        } catch {
            guard Task.isCancelled else { throw error }
            guard isServing.load(ordering: .acquiring) else {
                throw MediaError(.cancelled, "stopped before the result was there")
            }
        }
    }

    // MARK: Parts

    private func prepared(_ folder: DevFolder) async throws -> (DevPostgres, DevLeash) {
        do {
            let postgres = try await DevPostgres.prepare(folder)
            let leash = try DevLeash(
                lock: folder.lock, removing: postgres.temporaries + (folder.isKept ? [] : [folder.path]))
            return (postgres, leash)
        } catch {
            await Task { try? await Bounded.blocking { folder.discard() } }.value
            throw error
        }
    }

    /// The video to work on, which is made if so asked.
    private func video() async throws -> String? {
        if let video = plan.video {
            let path = absolute(video)
            guard access(path, R_OK) == 0 else {
                throw MediaError(
                    .notFound, "there is no file \(video.printable) that can be read", input: video)
            }
            return path
        }
        guard plan.makesSample else { return nil }
        let path = absolute("out/sample.mp4")
        try await Bounded.blocking { try DevFiles.makeFolder(of: path) }
        say("making a clip with moving picture and spoken words")
        _ = try await MediaEngine().run(
            SampleClip(output: path, subtitles: absolute("out/sample.srt"), overwrite: true))
        return path
    }

    /// Starts Postgres and the service, and does beside them what was asked for.
    private func serve(
        _ video: String?, _ folder: DevFolder, _ postgres: DevPostgres, _ leash: DevLeash
    ) async throws {
        say("starting Postgres in \(postgres.location)")
        let server = try await postgres.start(leash)
        try await Migrations(postgres.url, logger: logger).migrate(roles: .create())
        try await ServerSchema.migrations(postgres.url).migrate(roles: .create())
        try await CallSchema.migrations(postgres.url).migrate(roles: .create())
        let port = try await Bounded.blocking { [plan] in try DevPort.find(plan.port) }
        let store = DevStore(root: folder.store)
        let signing = try DevEnvironment.signing()
        let configuration = try configuration(postgres.url, store, port, signing)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let service = try KilnService(configuration, parts: [.jobs, .api], logger: logger) { port in
            listening.yield(port)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Self.run(service, self.logger)
                throw MediaError(.internal, "the service has ended")
            }
            group.addTask { try await postgres.watch(server) }
            group.addTask {
                // Ends without one if it is cancelled.
                for await port in ports {
                    let api = "http://127.0.0.1:\(port)"
                    self.say(
                        "ready",
                        DevText.places(
                            api: api, database: postgres.url, folder: folder, programs: postgres.programs,
                            signing: signing))
                    return try await self.work(video, folder, store, postgres.url, api)
                }
                throw CancellationError()
            }
            // The work has ended, or what it stands on.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Runs the service until the task is cancelled, and has it end in good order then.
    private static func run(_ service: KilnService, _ logger: Logger) async throws {
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: service, serviceName: "kiln")], logger: logger))
        let running = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    private func work(
        _ video: String?, _ folder: DevFolder, _ store: DevStore, _ database: String, _ api: String
    ) async throws {
        let trial: DevStore.Work
        if let video {
            trial = try await burn(video, store, database)
            guard plan.serves else { return }
        } else {
            trial = try await store.putSample()
        }
        try Task.checkCancellation()
        isServing.store(true, ordering: .releasing)
        say(nil, DevText.trial(api: api, trial) + DevText.staying(folder))
        let (never, holder) = AsyncStream<Never>.makeStream()
        // Ends when the task is cancelled.
        for await _ in never {}
        withExtendedLifetime(holder) {}
    }

    /// Takes a video through the queue.
    private func burn(_ video: String, _ store: DevStore, _ database: String) async throws -> DevStore.Work {
        let captions = try await DevCaptions.find(for: video)
        let output = absolute(plan.output ?? Self.usualOutput(of: video))
        guard output != video else {
            throw MediaError(.badRequest, "the result would replace its video", hint: "name another file with --output")
        }
        let work = try await store.put(video, captions)
        let queue = try QueueClient(database, options: .init(connections: 2), logger: logger)
        let reporter = ProgressReporter(plan.isQuiet ? .none : plan.progress)
        let outcome: DevJob.Outcome
        do {
            outcome = try await DevJob(queue: queue).run(
                DevJob.Payload(
                    input: work.input, subtitles: work.subtitles, captions: captions.look,
                    container: Container(fileName: output) ?? .mkv),
                show: reporter.callback)
        } catch {
            reporter.finish()
            await queue.close()
            throw error
        }
        reporter.finish()
        await queue.close()
        guard let key = outcome.result.key else {
            throw MediaError(.internal, "the job has made no file")
        }
        try await Bounded.blocking { try DevFiles.bring(store.path(key), to: output) }
        for line in DevText.made(output, captions, outcome).split(separator: "\n") { say(String(line)) }
        for warning in outcome.result.warnings { say("warning: \(warning.message.printable)") }
        if plan.json {
            try Console.output.print(
                JSONText.pretty(
                    Report(
                        output: output, job: outcome.id.uuidString.lowercased(), result: outcome.result,
                        speech: outcome.speech)))
        } else {
            try Console.output.print(output)
        }
        return work
    }

    private func configuration(
        _ database: String, _ store: DevStore, _ port: Int, _ signing: DevEnvironment.Signing
    ) throws(TransferError) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(
            database: .init(url: database), storage: try store.settings(port: port))
        configuration.worker.name = "kiln dev"
        configuration.worker.shutdownGrace = .zero
        configuration.http.port = port
        configuration.http.requestsPerMinute = nil
        configuration.webhooks.secrets = signing.keys
        // An app that is being made listens here as well, for webhooks.
        configuration.network.guarding = AddressGuard(
            allowedNetworks: ["127.0.0.0/8", "::1/128"].compactMap { IPNetwork($0) }, allowedHosts: ["localhost"])
        return configuration
    }

    // MARK: Words and names

    /// As the container takes what sound it has.
    static func usualOutput(of video: String) -> String {
        let name = video.split(separator: "/").last.map(String.init) ?? video
        let dot = name.lastIndex(of: ".").flatMap { $0 > name.startIndex ? $0 : nil }
        let ending =
            switch dot.map({ name[name.index(after: $0)...].lowercased() }) {
            case "mp4", "m4v": "mp4"
            case "mov": "mov"
            default: "mkv"
            }
        return "out/\(dot.map { String(name[..<$0]) } ?? name).captioned.\(ending)"
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : (plan.folder == "/" ? "" : plan.folder) + "/" + path
    }

    /// On standard error: a line that begins as all do, and others that may be pasted.
    private func say(_ line: String?, _ others: String = "") {
        guard !plan.isQuiet else { return }
        Console.error.write((line.map { "kiln: \($0)\n" } ?? "") + others)
    }
}
