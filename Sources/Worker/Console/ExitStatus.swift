import JobQueue
import MediaKit

/// What the process tells its parent, after `sysexits.h`.
enum ExitStatus: Int32 {
    case success = 0
    /// A job that was followed did not succeed.
    case jobFailed = 1
    /// EX_USAGE: the command line or the request makes no sense.
    case usage = 64
    /// EX_DATAERR: the input is not media, or too damaged; the queue refuses what it was given.
    case badInput = 65
    /// EX_NOINPUT: an input, stream, font or job is not there.
    case noInput = 66
    /// EX_UNAVAILABLE: not possible with these libraries, or a database that cannot be reached.
    case unsupported = 69
    /// EX_SOFTWARE
    case `internal` = 70
    /// EX_CANTCREAT: the output exists, or its folder is missing or closed.
    case cannotCreate = 73
    /// EX_IOERR
    case io = 74
    /// EX_TEMPFAIL: a limit was reached, or time was up.
    case resourceLimit = 75
    /// EX_NOPERM: the database role may not do this.
    case noPermission = 77
    /// EX_CONFIG: the database has no queue, or one of another version; the store or its credentials are not set.
    case configuration = 78
    /// As a shell reports a command that SIGINT ended.
    case cancelled = 130

    init(_ code: MediaError.Code) {
        switch code {
        case .badRequest: self = .usage
        case .badInput: self = .badInput
        case .notFound: self = .noInput
        case .unsupported: self = .unsupported
        case .cannotCreate: self = .cannotCreate
        case .io: self = .io
        case .resourceLimit: self = .resourceLimit
        case .configuration: self = .configuration
        case .cancelled: self = .cancelled
        // The codes are open: one that is not known here is nobody's fault but ours.
        default: self = .internal
        }
    }

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
