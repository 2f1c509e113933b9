import Glibc

extension ByteIOError {
    /// The error of a system call that has just failed: what was tried, on which name, and what to do where that
    /// is known. See errno(3).
    static func system(_ operation: String, _ name: String, errno number: Int32) -> ByteIOError {
        let code: Code
        var hint = ""
        switch number {
        case ENOENT, ENOTDIR:
            code = .notFound
        case EEXIST:
            code = .exists
        case EACCES, EPERM, EROFS, EISDIR:
            code = .permission
        case ENOSPC, EDQUOT, EFBIG:
            code = .noSpace
            hint = "; free some room or write elsewhere"
        default:
            code = .io
        }
        let text = String(cString: strerror(number))
        return ByteIOError(code, "cannot \(operation) \(name): \(text)\(hint)", errno: number)
    }
}
