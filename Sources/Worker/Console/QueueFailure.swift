import JobQueue

/// A failure of a command of the queue, on its way to the user: one sentence on standard error, and with `--json` an
/// object on standard output, too.
struct QueueFailure: Error {
    let error: QueueError
    let status: ExitStatus
    let printsJSON: Bool

    /// - Returns: nil for an error that is none of the queue's.
    init?(_ error: any Error, printsJSON: Bool) {
        switch error {
        case let error as QueueError:
            self.error = error
            status = ExitStatus(error.code)
        case let failure as JobFailure:
            self.error = QueueError(QueueError.Code(rawValue: "job_\(failure.job.state)"), "\(failure)")
            status = .jobFailed
        case let failure as WorkflowFailure:
            self.error = QueueError(QueueError.Code(rawValue: "workflow_\(failure.workflow.status)"), "\(failure)")
            status = .jobFailed
        default: return nil
        }
        self.printsJSON = printsJSON
    }

    /// The error as a failure, or as it is if it is none of the queue's.
    static func wrapping(_ error: any Error, printsJSON: Bool) -> any Error {
        guard let failure = QueueFailure(error, printsJSON: printsJSON) else { return error }
        return failure
    }

    /// Prints it and tells the exit code.
    func report() -> ExitStatus {
        Console.error.write("kiln: \(sentence.printable)\n")
        if printsJSON, let text = try? QueueText.json(QueueErrorReport(error, status: status)) {
            Console.output.write(text + "\n")
        }
        return status
    }

    /// What failed and what to do about it.
    private var sentence: String {
        [error.message, error.detail, error.hint].compactMap { $0 }.map { part in
            let trimmed = part.hasSuffix(".") ? part.dropLast() : part[...]
            return String(trimmed)
        }.enumerated().map { $0.offset == 0 ? $0.element : $0.element.prefix(1).uppercased() + $0.element.dropFirst() }
            .joined(separator: ". ")
    }
}

/// What `--json` prints of a failure: `{"error": {…}}`.
struct QueueErrorReport: Codable, Equatable {
    struct Details: Codable, Equatable {
        var code: String
        var exitCode: Int32
        var message: String
        var detail: String?
        var hint: String?
        var sqlState: String?
    }

    var error: Details

    init(_ failure: QueueError, status: ExitStatus) {
        error = Details(
            code: failure.code.rawValue, exitCode: status.rawValue, message: failure.message, detail: failure.detail,
            hint: failure.hint, sqlState: failure.sqlState)
    }
}

extension ExitStatus {
    init(_ code: QueueError.Code) {
        switch code {
        case .badConnectionString: self = .usage
        case .badRequest: self = .badInput
        case .notFound: self = .noInput
        case .cannotConnect, .connectionLost, .poolExhausted, .closed: self = .unsupported
        case .deadline, .conflict: self = .resourceLimit
        case .permission: self = .noPermission
        case .schema, .badRow: self = .configuration
        case .cancelled: self = .cancelled
        default: self = .internal
        }
    }
}
