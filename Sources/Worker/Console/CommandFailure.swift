import MediaKit

/// A failure on its way to the user: one sentence on standard error, and with `--json` an object, too.
struct CommandFailure: Error {
    let error: MediaError
    /// Where the object goes; `nil` without `--json`.
    let json: Console?
    /// Whether the request was made of flags, which the sentence then names instead of the request's keys.
    let namesFlags: Bool

    init(_ error: MediaError, json: Console? = nil, namesFlags: Bool = true) {
        self.error = error
        self.json = json
        self.namesFlags = namesFlags
    }

    /// Any error of the library's calls.
    init(any error: any Error, json: Console? = nil, namesFlags: Bool = true) {
        let failure = error as? MediaError ?? MediaError(.internal, "\(error)", cause: error)
        self.init(failure, json: json, namesFlags: namesFlags)
    }

    /// Prints it and tells the exit code.
    func report() -> ExitStatus {
        let status = ExitStatus(error.code)
        Console.error.write("kiln: \(sentence)\n")
        if let json, let text = try? JSONText.pretty(ErrorReport(error, status: status)) { json.write(text + "\n") }
        return status
    }

    /// What failed and what to do about it, in the words of the command line.
    var sentence: String {
        (namesFlags ? FlagNames.replacing(in: error.description) : error.description).printable
    }
}

/// What `--json` prints of a failure: `{"error": {…}}`.
struct ErrorReport: Codable, Equatable {
    struct Details: Codable, Equatable {
        var code: String
        var exitCode: Int32
        var message: String
        var hint: String?
        var operation: String?
        var input: String?
        var stream: Int?
        var libav: MediaError.Libav?
        /// libav's last log lines for this job, oldest first.
        var log: [String]
    }

    var error: Details

    init(_ failure: MediaError, status: ExitStatus) {
        error = Details(
            code: failure.code.rawValue, exitCode: status.rawValue, message: failure.message, hint: failure.hint,
            operation: failure.operation, input: failure.input, stream: failure.stream, libav: failure.libav,
            log: failure.log)
    }
}
