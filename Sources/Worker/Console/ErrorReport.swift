import JobQueue
import MediaKit

/// What `--json` prints of a failure: `{"error": {…}}`. What an error does not have is left out.
struct ErrorReport: Codable, Equatable {
    struct Details: Codable, Equatable {
        var code: String
        var exitCode: Int32
        var message: String
        /// Postgres's DETAIL.
        var detail: String?
        var hint: String?
        var sqlState: String?
        var operation: String?
        var input: String?
        var stream: Int?
        var libav: MediaError.Libav?
        /// libav's last log lines for this job, oldest first; of an error of the engine, empty where there are none.
        var log: [String]?
    }

    var error: Details

    init(_ failure: MediaError, status: ExitStatus) {
        error = Details(
            code: failure.code.rawValue, exitCode: status.rawValue, message: failure.message, hint: failure.hint,
            operation: failure.operation, input: failure.input, stream: failure.stream, libav: failure.libav,
            log: failure.log)
    }

    init(_ failure: QueueError, status: ExitStatus) {
        error = Details(
            code: failure.code.rawValue, exitCode: status.rawValue, message: failure.message, detail: failure.detail,
            hint: failure.hint, sqlState: failure.sqlState)
    }
}
