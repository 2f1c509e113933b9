import Glibc

/// A regular file that is open for reading: the owner of its descriptor.
///
/// Thread-safe: it is read at offsets.
final class LocalFile: Sendable {
    private let descriptor: Int32

    /// - Returns: `nil` if there is no regular file.
    /// - Throws: ``TransferError`` with code `io` or `accessDenied`.
    init?(_ path: String) throws(TransferError) {
        // Opening a FIFO would wait for its writer; for a regular file O_NONBLOCK means nothing.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
            throw .system("open", path)
        }
        guard let info = status, info.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }

    private var status: stat? {
        var info = stat()
        return fstat(descriptor, &info) == 0 ? info : nil
    }

    /// What it is now.
    func info(_ key: String) throws(TransferError) -> ObjectInfo {
        guard let status else { throw .system("look at", key) }
        return ObjectInfo(key: key, status)
    }

    /// Bytes that begin at `offset`: `count`, or fewer if it ends before.
    func read(_ count: Int, at offset: Int64) throws(TransferError) -> [UInt8] {
        var number: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                if got < 0 { number = errno }
                guard got > 0 else { return }
                filled += got
            }
        }
        guard number == 0 else {
            errno = number
            throw .system("read", "the file")
        }
        return bytes
    }
}

extension ObjectInfo {
    /// What the file system knows of a file.
    init(key: String, _ status: stat) {
        let nanoseconds = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        let tag = [Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size), nanoseconds]
            .map { String(UInt64(bitPattern: $0), radix: 16) }.joined(separator: "-")
        self.init(
            key: key, size: Int64(status.st_size), etag: ETag(rawValue: "\"\(tag)\""),
            lastModified: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9,
            contentType: MediaType.of(key))
    }
}

extension TransferError {
    /// The error of a call of the system that has just failed, by `errno`.
    static func system(_ operation: String, _ path: String) -> TransferError {
        let number = errno
        let code: Code = number == EACCES || number == EPERM || number == EROFS ? .accessDenied : .io
        return TransferError(
            code, "cannot \(operation) \(path): \(String(cString: strerror(number)))", isRetryable: false)
    }
}

/// What a file is, by its name: folders keep no more.
enum MediaType {
    static func of(_ name: String) -> String? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return byExtension[name[name.index(after: dot)...].lowercased()]
    }

    /// https://www.iana.org/assignments/media-types/
    private static let byExtension = [
        "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska",
        "webm": "video/webm", "ts": "video/mp2t", "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac",
        "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "opus": "audio/ogg", "jpg": "image/jpeg",
        "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif",
        "vtt": "text/vtt", "srt": "application/x-subrip", "ass": "text/x-ssa", "txt": "text/plain",
        "json": "application/json", "m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml",
        "zip": "application/zip",
    ]
}
