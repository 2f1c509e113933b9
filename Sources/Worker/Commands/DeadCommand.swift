import ArgumentParser
import FoundationEssentials
import JobQueue

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "See to jobs that have failed for good.",
        subcommands: [List.self, Retry.self, Purge.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List them, newest first.")
        @Option(help: "Only of this kind.")
        var kind: String?
        @Option(help: "So many at most.")
        var limit = 50
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.answer {
                try await $0.deadJobs(kind: kind, limit: limit)
            } text: { jobs in
                QueueText.table(
                    ["ID", "KIND", "DIED", "ATTEMPTS", "ERROR"],
                    jobs.map { job in
                        [
                            QueueText.id(job.id), job.kind, QueueText.age(job.finishedAt),
                            "\(job.attempt)/\(job.maxAttempts)", QueueText.short(JobTable.note(job), 80),
                        ]
                    }, rightAligned: [3], otherwise: "no dead jobs")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run them again, with fresh attempts, oldest first; single ones with kiln retry ID.")
        @OptionGroup var choice: Choice
        @Option(help: "So many at most.")
        var limit = 10_000
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.count("retried") { try await $0.retryDead(kind: choice.kind, limit: limit) }
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete them, but for those whose children still need them.")
        @OptionGroup var choice: Choice
        @Option(help: "Only what died longer ago, such as 12h or 30d.")
        var olderThan: Span?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let moment = olderThan.map { Date.now.addingTimeInterval(-$0.seconds) }
            try await database.count("purged") { try await $0.purgeDead(kind: choice.kind, before: moment) }
        }
    }

    /// Which ones to change: all of them only if that is said.
    struct Choice: ParsableArguments {
        @Option(help: "Only of this kind.")
        var kind: String?
        @Flag(help: "Of all kinds.")
        var all = false

        func validate() throws {
            guard (kind != nil) != all else { throw ValidationError("Say which: --kind KIND, or --all.") }
        }
    }
}
