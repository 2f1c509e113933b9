import ArgumentParser
import JobQueue

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel jobs.",
        discussion: "One that runs is told to stop, and is cancelled when it has.")

    @Argument(help: "The jobs' ids.")
    var ids: [Identifier]
    @Option(help: "Why, for those who wonder later.")
    var reason: String?
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await database.run { queue in
            try await JobChange.each(ids, printing: database) { id in
                switch try await queue.cancel(id, reason: reason) {
                case .cancelled: "cancelled"
                case .cancelling: "cancelling"
                case .finished(let state): "\(state)"
                }
            }
        }
    }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Run dead or cancelled jobs again, or those that wait now.")

    @Argument(help: "The jobs' ids.")
    var ids: [Identifier]
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await database.run { queue in
            try await JobChange.each(ids, printing: database) { id in "\(try await queue.retry(id))" }
        }
    }
}

/// What became of a job.
struct JobChange: Codable {
    var id: String
    var state: String

    /// Changes jobs one by one. One that is refused keeps none of the others from it; its error comes last.
    static func each(
        _ ids: [Identifier], printing database: DatabaseOptions, _ body: (JobID) async throws -> String
    ) async throws {
        var changes: [JobChange] = []
        var failures: [QueueError] = []
        for id in ids {
            do {
                changes.append(JobChange(id: QueueText.id(id.value), state: try await body(id.value)))
            } catch let error as QueueError where [.notFound, .permission, .badRequest].contains(error.code) {
                failures.append(error)
            }
        }
        if !changes.isEmpty {
            try database.print(changes, changes.map { "\($0.id)  \($0.state)" }.joined(separator: "\n"))
        }
        guard var error = failures.first else { return }
        if failures.count > 1 { error.message += " (and \(failures.count - 1) more)" }
        // Standard output holds one JSON text: what was done, or the error if nothing was.
        throw CommandFailure.wrapping(error, json: database.json && changes.isEmpty ? .output : nil)
    }
}
