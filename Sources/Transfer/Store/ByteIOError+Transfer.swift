import ByteIO

extension TransferError {
    /// What an error of a file means in terms of a store.
    init(_ error: ByteIOError) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            case .exists: .exists
            case .permission: .accessDenied
            case .tooLarge: .tooLarge
            case .notSeekable: .notSeekable
            case .cancelled: .cancelled
            default: .io
            }
        self.init(code, error.message, isRetryable: false, cause: error)
    }

    /// Runs `body`, whose errors of files become ours.
    static func ofFiles<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as ByteIOError { throw TransferError(error) }
    }
}
