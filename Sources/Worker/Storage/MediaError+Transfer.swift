import ByteIO
import MediaKit
import Transfer

extension MediaError.Code {
    /// A setting of the program is missing or wrong: no store, no credentials.
    static let configuration = MediaError.Code(rawValue: "configuration")
}

extension MediaError {
    /// What an error of an input that is read means for the job.
    init(store error: any Error, input: String) {
        switch error {
        case let error as TransferError: self.init(error, input: input)
        case let error as MediaError: self = error
        case let error as ByteIOError: self.init(error, input: input)
        case is CancellationError: self.init(.cancelled, "cancelled", input: input)
        default: self.init(.io, "\(error)", input: input, cause: error)
        }
    }

    /// What an error of an output that is written means for the job.
    init(store error: any Error, output: String) {
        self.init(store: error, input: output)
        // Its bucket or folder is not there, or closed.
        if code == .notFound { code = .cannotCreate }
    }

    private init(_ error: ByteIOError, input: String) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            case .exists, .permission: .cannotCreate
            case .tooLarge: .resourceLimit
            case .notSeekable: .unsupported
            case .cancelled: .cancelled
            default: .io
            }
        self.init(code, "\(error)", input: input, cause: error)
    }

    /// - Parameter input: the place it happened on, as it may be shown.
    init(_ error: TransferError, input: String?) {
        let code: Code =
            switch error.code {
            case .badURL, .badRequest, .forbiddenAddress: .badRequest
            // Not being allowed to read is the input's matter, as with files.
            case .notFound, .accessDenied: .notFound
            case .exists: .cannotCreate
            case .credentials: .configuration
            case .unsupported, .notSeekable: .unsupported
            case .tooLarge: .resourceLimit
            case .cancelled, .closed: .cancelled
            case .internal: .internal
            default: .io
            }
        var bare = error
        bare.hint = nil
        self.init(code, bare.description, hint: error.hint, input: input, cause: error)
    }
}
