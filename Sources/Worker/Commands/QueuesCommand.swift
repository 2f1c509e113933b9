import ArgumentParser
import JobQueue

struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues", abstract: "List queues, or set their limits.",
        subcommands: [List.self, Set.self], defaultSubcommand: List.self, aliases: ["queue"])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List them, with their limits and counts.")
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.answer {
                try await $0.queues()
            } text: { queues in
                QueueText.table(
                    [
                        "QUEUE", "READY", "RUNNING", "SCHEDULED", "FAILED", "BLOCKED", "SUCCEEDED", "CANCELLED", "DEAD",
                        "LIMITS",
                    ],
                    queues.map { queue in
                        [queue.queue]
                            + [
                                queue.ready, queue.running, queue.scheduled, queue.failed, queue.blocked,
                                queue.succeeded, queue.cancelled, queue.dead,
                            ].map { "\($0)" } + [QueuesCommand.limits(queue)]
                    }, rightAligned: Swift.Set(1...8), otherwise: "no queues")
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set all limits of a queue: those that are not given are lifted.",
            discussion: "  kiln queue set thumbnails --concurrency 8 --rate 100/1m")
        @Argument(help: "The queue's name.")
        var name: String
        @Option(help: "Jobs that run at a time, in all workers together.")
        var concurrency: Int?
        @Option(help: "Jobs that run at a time in each worker.")
        var workerConcurrency: Int?
        @Option(help: "Jobs of a concurrency key that run at a time.")
        var keyConcurrency: Int?
        @Option(help: "Starts in any stretch of time, such as 100/1m or 5/s.")
        var rate: RateArgument?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let limits = QueueLimits(
                concurrency: concurrency, workerConcurrency: workerConcurrency, keyConcurrency: keyConcurrency,
                rate: rate?.value)
            try await QueuesCommand.change(name, in: database) { try await $0.setQueue(name, limits) }
        }
    }

    /// Changes a queue, and prints it as it is then.
    static func change(
        _ name: String, in database: DatabaseOptions, _ body: (QueueClient) async throws -> Void
    ) async throws {
        try await database.run { queue in
            try await body(queue)
            guard let found = try await queue.queues().first(where: { $0.queue == name }) else { return }
            let text = limits(found)
            try database.print(found, "\(name): \(text.isEmpty ? "no limits" : text)".printable)
        }
    }

    static func limits(_ queue: QueueInfo) -> String {
        var parts = queue.paused ? ["paused"] : []
        if let limit = queue.concurrency { parts.append("\(limit) at a time") }
        if let limit = queue.workerConcurrency { parts.append("\(limit) per worker") }
        if let limit = queue.keyConcurrency { parts.append("\(limit) per key") }
        if let limit = queue.rateLimit { parts.append("\(limit) per \(QueueText.length(queue.rateIntervalSeconds))") }
        return parts.joined(separator: ", ")
    }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Keep workers from starting jobs of a queue; those that run go on.")
    @Argument(help: "The queue's name.")
    var queue: String
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await QueuesCommand.change(queue, in: database) { try await $0.pause(queue) }
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Undo a pause.")
    @Argument(help: "The queue's name.")
    var queue: String
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await QueuesCommand.change(queue, in: database) { try await $0.resume(queue) }
    }
}
