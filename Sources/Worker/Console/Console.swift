import Glibc
import MediaKit

/// One of the process's standard streams, written without a buffer in between.
struct Console: Sendable {
    static let output = Console(descriptor: STDOUT_FILENO)
    static let error = Console(descriptor: STDERR_FILENO)

    let descriptor: Int32

    /// Whether somebody reads along who wants progress redrawn in place.
    var isTerminal: Bool {
        guard isatty(descriptor) != 0 else { return false }
        return getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    /// Columns of the terminal.
    var width: Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes what can be written; nobody is left to be told of a failure.
    func write(_ text: String) { _ = tryWrite(text) }

    /// - Returns: whether all was written.
    func tryWrite(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// Prints a result.
    ///
    /// - Throws: ``MediaError`` with code `io` where it could not be written.
    func print(_ text: String) throws {
        guard tryWrite(text + "\n") else {
            let reason = String(cString: strerror(errno))
            throw MediaError(.io, "cannot write to standard output: \(reason)")
        }
    }
}

extension String {
    /// The text on one line and without control characters: names and tags come from files, and a terminal obeys
    /// what is in them.
    var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator:
                        scalar.properties.isWhitespace ? " " : "\u{FFFD}"
                    default: scalar
                    }
                }))
    }
}
