import ByteIO
import CAVShim
import Glibc

extension MediaError {
    /// libav's text for one of its error numbers.
    static func libavText(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        av_strerror(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The error for a failed libav call.
    ///
    /// - Parameter message: what was tried, in words.
    static func libav(
        _ code: Int32, _ message: String, input: String? = nil, stream: Int? = nil, hint: String? = nil
    ) -> MediaError {
        let kind: Code
        switch code {
        case CAV_ERROR_EXIT: kind = .cancelled
        case CAV_ERROR_INVALIDDATA, CAV_ERROR_DEMUXER_NOT_FOUND, CAV_ERROR_STREAM_NOT_FOUND, CAV_ERROR_EOF:
            kind = .badInput
        case CAV_ERROR_DECODER_NOT_FOUND, CAV_ERROR_ENCODER_NOT_FOUND, CAV_ERROR_PATCHWELCOME, cav_error(ENOSYS):
            kind = .unsupported
        case cav_error(ENOMEM): kind = .resourceLimit
        case cav_error(EIO), cav_error(ENOSPC), cav_error(EPIPE): kind = .io
        case cav_error(ENOENT): kind = .notFound
        default: kind = .internal
        }
        return MediaError(
            kind, message, hint: hint, input: input, stream: stream,
            libav: Libav(code: code, text: libavText(code)))
    }

    /// The error for a failed source or sink; others pass through unchanged.
    static func wrapping(_ error: any Error, input: String? = nil) -> MediaError {
        if let error = error as? MediaError { return error }
        if error is CancellationError { return MediaError(.cancelled, "cancelled", input: input) }
        guard let error = error as? ByteIOError else {
            return MediaError(.io, "\(error)", input: input, cause: error)
        }
        let code: Code
        switch error.code {
        case .notFound: code = .notFound
        case .exists: code = .cannotCreate
        case .permission: code = .cannotCreate
        case .cancelled: code = .cancelled
        case .tooLarge: code = .resourceLimit
        case .notSeekable: code = .unsupported
        default: code = .io
        }
        return MediaError(code, error.message, input: input, cause: error)
    }
}

/// Throws if `result` is one of libav's negative error numbers.
@discardableResult
func check(
    _ result: Int32, _ message: @autoclosure () -> String, input: String? = nil, stream: Int? = nil
) throws -> Int32 {
    guard result < 0 else { return result }
    throw MediaError.libav(result, message(), input: input, stream: stream)
}

/// The owner of a pointer that a C allocator returned, or an error where there was no memory.
func allocated<T>(_ pointer: T?, _ what: String) throws -> T {
    // With the library's code: it is the machine's limit, not one of the request's.
    guard let pointer else { throw MediaError.libav(cav_error(ENOMEM), "no memory for \(what)") }
    return pointer
}
