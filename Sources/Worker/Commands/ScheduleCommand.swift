import ArgumentParser
import FoundationEssentials
import JobQueue

struct ScheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "Enqueue jobs by the clock.",
        subcommands: [List.self, Set.self, Remove.self], defaultSubcommand: List.self, aliases: ["schedules"])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List schedules.")
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.answer {
                try await $0.schedules()
            } text: { schedules in
                QueueText.table(
                    ["NAME", "CRON", "ZONE", "KIND", "MISSED", "LAST", "NEXT"],
                    schedules.map { schedule in
                        [
                            schedule.name, schedule.cron, schedule.timezone, schedule.kind, schedule.missed.rawValue,
                            QueueText.age(schedule.lastTick),
                            schedule.paused ? "paused" : QueueText.age(schedule.nextTick),
                        ]
                    }, otherwise: "no schedules")
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a schedule, or change the one of that name.",
            discussion:
                #"  kiln schedule set nightly "30 2 * * *" media.sweep '{"deep": true}' --timezone Europe/Berlin"#)
        @Argument(help: "The schedule's name.")
        var name: String
        @Argument(help: "Minute, hour, day, month, weekday; with seconds before, or @daily and the like.")
        var cron: String
        @Argument(help: "The kind of its jobs.")
        var kind: String
        @Argument(help: ArgumentHelp("JSON, @FILE, or - for standard input.", valueName: "payload"))
        var payload = "{}"
        @Option(help: "Such as Europe/Berlin.")
        var timezone = "UTC"
        @Option(help: "Runs that came while no worker was there: skip them, make up for the last, or for all.")
        var missed: MissedTicks = .last
        @Flag(help: "Keep it from running.")
        var paused = false
        @OptionGroup(title: "Jobs") var job: NewJobOptions
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.reporting {
                let payload = try JSONArgument.read(payload, name: "the payload")
                let options = try job.options()
                try await database.run { queue in
                    try await queue.schedule(
                        name, cron: cron, timezone: timezone, kind: kind, payload: payload, options: options,
                        missed: missed, paused: paused)
                    let next = (try? CronSchedule(cron, timeZone: timezone))?.next(after: .now)
                    try database.print(
                        ["name": name], "\(name): \(paused ? "paused" : "runs \(QueueText.age(next))")".printable)
                }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a schedule.")
        @Argument(help: "The schedule's name.")
        var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.run { queue in
                guard try await queue.unschedule(name) else {
                    throw QueueError(
                        .notFound, "there is no schedule \(name.debugDescription)", hint: "see kiln schedule list")
                }
                try database.print(["removed": name], "\(name): removed".printable)
            }
        }
    }
}
