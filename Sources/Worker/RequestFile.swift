import ByteIO
import MediaKit

/// A small text that the user names: a request, a style.
enum RequestFile {
    /// Far more than any request needs.
    private static let limit = 16 << 20

    /// Reads all of a file or, for `-`, of standard input.
    ///
    /// - Throws: ``MediaError``.
    static func read(_ location: String) throws -> [UInt8] {
        do {
            return try LocalResolver().source(for: location).readAll(limit: limit)
        } catch let error as ByteIOError {
            let code: MediaError.Code =
                switch error.code {
                case .notFound, .permission: .notFound
                case .tooLarge: .resourceLimit
                default: .io
                }
            throw MediaError(code, error.message, input: location, cause: error)
        }
    }
}
