import JobQueue
import MediaKit

/// A failure on its way to the user: one sentence on standard error, and with `--json` an object, too.
struct CommandFailure: Error {
    /// What failed and what to do about it, in the words of the command line.
    let sentence: String
    private let status: ExitStatus
    private let details: ErrorReport
    /// Where the object goes; `nil` without `--json`.
    private let json: Console?

    /// - Parameter namesFlags: whether the request was made of flags, which the sentence then names instead of the
    ///   request's keys.
    init(_ error: MediaError, json: Console? = nil, namesFlags: Bool = true) {
        sentence = (namesFlags ? FlagNames.replacing(in: error.description) : error.description).printable
        status = ExitStatus(error.code)
        details = ErrorReport(error, status: status)
        self.json = json
    }

    /// Any error of the engine's calls.
    init(any error: any Error, json: Console? = nil, namesFlags: Bool = true) {
        let failure = error as? MediaError ?? MediaError(.internal, "\(error)", cause: error)
        self.init(failure, json: json, namesFlags: namesFlags)
    }

    private init(_ error: QueueError, status: ExitStatus, json: Console?) {
        sentence = Self.sentence(of: error).printable
        self.status = status
        details = ErrorReport(error, status: status)
        self.json = json
    }

    /// An error of the queue, a file that cannot be read, or a job or workflow that did not succeed; any other error is
    /// returned as it is.
    static func wrapping(_ error: any Error, json: Console?) -> any Error {
        switch error {
        case let error as QueueError:
            CommandFailure(error, status: ExitStatus(error.code), json: json)
        case let failure as JobFailure:
            CommandFailure(
                QueueError(QueueError.Code(rawValue: "job_\(failure.job.state)"), "\(failure)"), status: .jobFailed,
                json: json)
        case let failure as WorkflowFailure:
            CommandFailure(
                QueueError(QueueError.Code(rawValue: "workflow_\(failure.workflow.status)"), "\(failure)"),
                status: .jobFailed, json: json)
        case let error as MediaError: CommandFailure(error, json: json)
        default: error
        }
    }

    /// Prints it and tells the exit code.
    func report() -> ExitStatus {
        Console.error.write("kiln: \(sentence)\n")
        if let json, let text = try? JSONText.pretty(details) { json.write(text + "\n") }
        return status
    }

    /// Message, detail and hint, without the statement and the SQLSTATE that the error's own description names.
    private static func sentence(of error: QueueError) -> String {
        [error.message, error.detail, error.hint].compactMap { $0 }.map { part in
            let trimmed = part.hasSuffix(".") ? part.dropLast() : part[...]
            return String(trimmed)
        }.enumerated().map { $0.offset == 0 ? $0.element : $0.element.prefix(1).uppercased() + $0.element.dropFirst() }
            .joined(separator: ". ")
    }
}
