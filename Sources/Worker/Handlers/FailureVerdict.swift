import ByteIO
import JobQueue
import Logging
import MediaKit
import Providers
import Transfer

/// What an error means for its job: whether another attempt can do better.
///
/// The tables are the whole of it. What no table names is transient: attempts are bounded, and what is given up at once
/// cannot be told from what would have worked a minute later.
struct FailureVerdict: Sendable {
    enum Kind: Sendable, Hashable {
        /// Every attempt would end like this: the job is dead at once.
        case permanent
        /// Another attempt may succeed.
        case transient
        /// Not the job's failure: it was cancelled, or is somebody else's by now.
        case stopped
    }

    let error: any Error
    let kind: Kind
    /// How long another attempt should wait at least.
    var retryAfter: Duration?

    init(_ error: any Error) {
        self.error = error
        let transfer = (error as? MediaError)?.cause as? TransferError ?? error as? TransferError
        retryAfter = transfer?.retryAfter ?? (error as? ProviderError)?.retryAfter
        kind =
            switch error {
            case let error as MediaError: Self.kind(of: error)
            case let error as TransferError: Self.kind(of: error)
            case let error as ProviderError: Self.kind(of: error)
            case let error as ByteIOError: Self.files[error.code] ?? .transient
            // The queue knows best what its own errors mean.
            case is JobError, is QueueError, is CancellationError: .stopped
            default: .transient
            }
    }

    /// The error that says it to the queue. libav's last lines go to the job's log before, and so stay with the attempt.
    func logging(to logger: Logger) -> any Error {
        let media = error as? MediaError
        for line in media?.log ?? [] { logger.warning("libav: \(line)") }
        switch kind {
        case .stopped:
            // A cancelled job's errors are the cancel's doing.
            return media == nil && !(error is TransferError) ? error : CancellationError()
        case .permanent: return JobError.permanent("\(error)")
        case .transient:
            guard let retryAfter else { return error }
            return JobError.retry(after: retryAfter, "\(error)")
        }
    }

    // MARK: Media

    private static func kind(of error: MediaError) -> Kind {
        // A limit that a library ran into is the machine's, not the request's.
        if error.code == .resourceLimit, error.libav != nil { return .transient }
        switch error.cause {
        case let cause as TransferError: return kind(of: cause)
        case let cause as ByteIOError: return files[cause.code] ?? .transient
        default: return media[error.code] ?? .transient
        }
    }

    private static func kind(of error: ProviderError) -> Kind {
        if error.code == .cancelled { return .stopped }
        if error.isRetryable { return .transient }
        return providers[error.code] ?? .transient
    }

    /// Of those that the provider itself would not try again.
    static let providers: [ProviderError.Code: Kind] = [
        .badRequest: .permanent, .notFound: .permanent, .refused: .permanent, .tooLarge: .permanent,
        // Nothing comes of asking again, but somebody may fill the account meanwhile.
        .quota: .transient,
        // Somebody has to set the worker right, and may do so before the last attempt.
        .configuration: .transient,
        .badAnswer: .transient,
    ]

    static let media: [MediaError.Code: Kind] = [
        .badRequest: .permanent, .badInput: .permanent, .unsupported: .permanent, .notFound: .permanent,
        .cannotCreate: .permanent, .resourceLimit: .permanent,
        .io: .transient, .internal: .transient,
        // Somebody has to set the worker right, and may do so before the last attempt.
        .configuration: .transient,
        .cancelled: .stopped,
    ]

    static let files: [ByteIOError.Code: Kind] = [
        .notFound: .permanent, .exists: .permanent, .permission: .permanent, .tooLarge: .permanent,
        .notSeekable: .permanent,
        .noSpace: .transient, .io: .transient,
        .cancelled: .stopped,
    ]

    // MARK: Transfers

    private static func kind(of error: TransferError) -> Kind {
        if error.isRetryable { return .transient }
        if error.code == .status, let status = error.status { return kind(ofStatus: status) }
        return transfers[error.code] ?? .transient
    }

    /// Of an answer of 300 or more that has no code of its own.
    static func kind(ofStatus status: Int) -> Kind {
        switch status {
        // Request Timeout, Too Early, Too Many Requests.
        case 408, 425, 429: .transient
        case 500...: .transient
        default: .permanent
        }
    }

    static let transfers: [TransferError.Code: Kind] = [
        .badURL: .permanent, .badRequest: .permanent, .forbiddenAddress: .permanent, .badRedirect: .permanent,
        .tooLarge: .permanent, .notFound: .permanent, .accessDenied: .permanent, .exists: .permanent,
        .unsupported: .permanent, .notSeekable: .permanent,
        .cannotResolve: .transient, .cannotConnect: .transient, .timeout: .transient, .connectionLost: .transient,
        .badResponse: .transient, .checksum: .transient, .throttled: .transient,
        // Certificates are renewed, and credentials given, while a job waits.
        .tls: .transient, .credentials: .transient,
        // Another attempt reads what is there then.
        .changed: .transient,
        .io: .transient, .closed: .transient, .internal: .transient,
        .cancelled: .stopped, .superseded: .stopped,
    ]
}
