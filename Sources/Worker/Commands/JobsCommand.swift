import ArgumentParser
import JobQueue

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "jobs", abstract: "List jobs, newest first.")

    @OptionGroup var database: DatabaseOptions
    @Option(
        parsing: .upToNextOption,
        help: "blocked, scheduled, ready, running, failed, succeeded, cancelled or dead; one or more.")
    var state: [JobState] = []
    @Option(help: "Only of this kind.")
    var kind: String?
    @Option(help: "Only of this queue.")
    var queue: String?
    @Option(help: "Only of this workflow.")
    var workflow: Identifier?
    @OptionGroup var length: ListLength

    func run() async throws {
        let filter = JobFilter(
            states: Set(state), kind: kind, queue: queue, workflow: workflow?.value, limit: length.limit)
        try await database.answer {
            try await $0.jobs(filter)
        } text: {
            JobTable.list($0, otherwise: "no jobs")
        }
    }
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Tell everything about a job.",
        discussion: "With --follow it tells what changes until the job is over; with --json, an object a line.")

    @Argument(help: "The job's id.")
    var id: Identifier
    @Flag(help: "Go on until it is over; exit with 1 unless it succeeds.")
    var follow = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await database.run { queue in
            guard follow else {
                guard let job = try await queue.job(id.value) else { throw Self.unknown(id) }
                return try database.print(job, JobTable.details(job))
            }
            var last: JobInfo?
            for try await job in queue.follow(id.value) {
                try Console.output.print(database.json ? JSONText.line(job) : JobTable.line(job, after: last))
                last = job
            }
            if let last, last.state != .succeeded { throw JobFailure(job: last) }
        }
    }

    private static func unknown(_ id: Identifier) -> QueueError {
        QueueError(
            .notFound, "job \(QueueText.id(id.value)) does not exist",
            hint: """
                it was never enqueued, its transaction has not committed, or it finished longer ago than the retention
                """)
    }
}
