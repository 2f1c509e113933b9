import ArgumentParser
import FoundationEssentials
import JobQueue

struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue", abstract: "Enqueue a job, and print its id.",
        discussion: """
              kiln enqueue media.transcode '{"input": "a.mov"}' --priority 10 --delay 10m
              jq … | kiln enqueue report -
            """)

    @Argument(help: "What kind of job it is.")
    var kind: String
    @Argument(help: ArgumentHelp("JSON, @FILE, or - for standard input.", valueName: "payload"))
    var payload = "{}"
    @OptionGroup var database: DatabaseOptions
    @OptionGroup(title: "Job") var job: NewJobOptions
    @Option(help: "Run it after this time, such as 90s, 10m or 1h30m.")
    var delay: Span?
    @Option(help: "Run it at this moment, such as 2026-03-01T12:00Z.")
    var at: Moment?
    @Option(parsing: .upToNextOption, help: "Jobs that must finish before.")
    var dependsOn: [Identifier] = []
    @Option(help: "If one of those fails: cancel it, run it, or fail_workflow.")
    var onParentFailure: ParentFailure?
    @Option(help: "A workflow that it joins.")
    var workflow: Identifier?

    mutating func validate() throws {
        if delay != nil, at != nil { throw ValidationError("--delay and --at exclude each other.") }
    }

    func run() async throws {
        try await database.reporting {
            let payload = try JSONArgument.read(payload, name: "the payload")
            var options = try job.options()
            options.runAt = at?.value ?? delay.map { Date.now.addingTimeInterval($0.seconds) }
            options.dependsOn = dependsOn.map(\.value)
            options.onParentFailure = onParentFailure
            options.workflow = workflow?.value
            try await database.run { queue in
                let id = try await queue.enqueue(kind, payload, options: options)
                try database.print(["id": QueueText.id(id)], QueueText.id(id))
            }
        }
    }
}
