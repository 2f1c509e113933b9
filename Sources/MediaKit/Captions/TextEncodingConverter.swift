import Glibc

/// Owns one converter of the C library (`iconv_open`) from some encoding to UTF-8.
///
/// Not thread-safe: used by the one thread that makes it.
final class TextEncodingConverter {
    enum Piece {
        case text(ArraySlice<UInt8>)
        /// A byte that means nothing here.
        case invalid
    }

    private let handle: iconv_t

    /// `nil` where the system has no such converter.
    init?(from name: String) {
        let handle = iconv_open("UTF-8", name)
        // iconv_open(3) reports failure as (iconv_t)-1.
        guard let handle, Int(bitPattern: handle) != -1 else { return nil }
        self.handle = handle
    }

    deinit { iconv_close(handle) }

    /// Converts all of `bytes`, handing on the result piece by piece. An invalid byte is skipped.
    func convert(_ bytes: ArraySlice<UInt8>, receive: (Piece) -> Void) {
        var input = Array(bytes)
        var output = [UInt8](repeating: 0, count: 1 << 16)
        var position = 0
        while position < input.count {
            var used = 0
            var made = 0
            var failure: Int32 = 0
            input.withUnsafeMutableBytes { source in
                output.withUnsafeMutableBytes { target in
                    guard let sourceBase = source.baseAddress, let targetBase = target.baseAddress else { return }
                    var from: UnsafeMutablePointer<CChar>? = (sourceBase + position)
                        .assumingMemoryBound(to: CChar.self)
                    var to: UnsafeMutablePointer<CChar>? = targetBase.assumingMemoryBound(to: CChar.self)
                    var fromLeft = source.count - position
                    var toLeft = target.count
                    errno = 0
                    if iconv(handle, &from, &fromLeft, &to, &toLeft) == -1 { failure = errno }
                    used = source.count - position - fromLeft
                    made = target.count - toLeft
                }
            }
            if made > 0 { receive(.text(output[..<made])) }
            position += used
            switch failure {
            case 0: if used == 0 { position = input.count }
            case E2BIG: if used == 0, made == 0 { position = input.count }
            default:
                // EILSEQ: not valid here. EINVAL: cut off at the end.
                receive(.invalid)
                position += 1
            }
        }
    }
}
