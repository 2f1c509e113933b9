import ArgumentParser
import JobQueue

struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow", abstract: "Enqueue and look after workflows: jobs that wait for each other.",
        subcommands: [List.self, Enqueue.self, Show.self, Cancel.self, Retry.self], defaultSubcommand: List.self,
        aliases: ["workflows"])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List workflows, newest first.")
        @OptionGroup var length: ListLength
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.answer {
                try await $0.workflows(limit: length.limit)
            } text: {
                WorkflowTable.list($0)
            }
        }
    }

    struct Enqueue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enqueue a workflow, and print its id.",
            discussion: """
                The file is JSON as the SQL function enqueue_workflow takes it:

                  {"name": "publish", "nodes": [
                    {"node": "probe", "kind": "media.probe", "payload": {"input": "a.mov"}},
                    {"node": "video", "kind": "media.transcode", "after": ["probe"]},
                    {"node": "report", "kind": "report", "after": [{"node": "video", "on_failure": "run"}]}]}
                """)
        @Argument(help: ArgumentHelp("A file, or - for standard input.", valueName: "file"))
        var file: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.reporting {
                let json = try JSONArgument.read(file == "-" ? file : "@\(file)", name: "the workflow")
                try await database.answer {
                    try await $0.enqueueWorkflow(json)
                } text: {
                    QueueText.id($0.id)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell how far a workflow has come, and the state of each of its jobs.",
            discussion: "With --wait it does so when the workflow is over.")
        @Argument(help: "The workflow's id.")
        var id: Identifier
        @Flag(help: "Wait until it is over; exit with 1 unless it succeeds.")
        var wait = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.run { queue in
                var failure: WorkflowFailure?
                if wait {
                    do {
                        try await queue.wait(forWorkflow: id.value)
                    } catch let error as WorkflowFailure {
                        failure = error
                    }
                }
                let report = try await WorkflowReport(id.value, in: queue)
                try database.print(report, WorkflowTable.details(report))
                // Standard output holds one JSON text.
                if let failure { throw CommandFailure.wrapping(failure, json: nil) }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel what is unfinished of a workflow.",
            discussion: "Jobs that run are told to stop, and are cancelled when they have.")
        @Argument(help: "The workflow's id.")
        var id: Identifier
        @Option(help: "Why, for those who wonder later.")
        var reason: String?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.count("cancelled", "cancelled or told to stop") {
                try await $0.cancelWorkflow(id.value, reason: reason)
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the dead and cancelled jobs of a workflow again; what has succeeded keeps its result.")
        @Argument(help: "The workflow's id.")
        var id: Identifier
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.count("retried") { try await $0.retryWorkflow(id.value) }
        }
    }
}

/// A workflow with its jobs.
struct WorkflowReport: Codable, Equatable {
    var workflow: WorkflowInfo
    var nodes: [WorkflowNode]

    /// - Throws: `notFound`.
    init(_ id: JobID, in queue: QueueClient) async throws {
        nodes = try await queue.workflowNodes(id)
        guard let workflow = try await queue.workflow(id) else {
            throw QueueError(.notFound, "workflow \(QueueText.id(id)) does not exist")
        }
        self.workflow = workflow
    }
}
