import Glibc
import Locking
import Synchronization

/// Where log lines go: a file descriptor.
///
/// Each record is written whole, by one `write`, and no two of a process at once, so that lines are never mixed up. A
/// reader who is slow holds up whoever logs, as with every program's standard error; where the descriptor does not
/// block, a record is dropped after a second.
///
/// Thread-safe.
public final class LogOutput: Sendable {
    /// Descriptor 2.
    public static let standardError = LogOutput(descriptor: STDERR_FILENO)

    /// Whether people read along: it is a terminal that shows colours, and they have not said `NO_COLOR`.
    /// https://no-color.org
    public let showsColours: Bool
    private let descriptor: Int32
    /// Whether the last record was broken off, and its line is still to be ended.
    private let isAmidLine = Locked(false)
    private let lost = Atomic<Int>(0)

    /// - Parameters:
    ///   - descriptor: stays the caller's, who keeps it open.
    ///   - showsColours: by default as the terminal says.
    public init(descriptor: Int32, showsColours: Bool? = nil) {
        self.descriptor = descriptor
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        self.showsColours =
            showsColours
            ?? Self.isColourful(descriptor, terminal: variable("TERM"), noColour: variable("NO_COLOR"))
    }

    /// How many records could not be written: the disk is full, the reader too slow.
    public var droppedRecords: Int { lost.load(ordering: .relaxed) }

    /// Writes a record, whose last byte ends its line.
    func write(_ record: [UInt8]) {
        let isWritten = isAmidLine.withLock { isAmidLine in
            if isAmidLine, writeAll([UInt8(ascii: "\n")]) != 1 { return false }
            let written = writeAll(record[...])
            isAmidLine = written > 0 && written < record.count
            return written == record.count
        }
        if !isWritten { lost.wrappingAdd(1, ordering: .relaxed) }
    }

    /// How many bytes were written: all but for an error.
    private func writeAll(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                guard count < 0, errno == EAGAIN, isWritable(withinMilliseconds: 1000) else { break }
            }
        }
        return bytes.count - rest.count
    }

    private func isWritable(withinMilliseconds limit: Int32) -> Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&poller, 1, limit) == 1 && poller.revents & Int16(POLLOUT) != 0
    }

    /// - Parameters:
    ///   - terminal: `TERM` of the environment.
    ///   - noColour: `NO_COLOR`.
    static func isColourful(_ descriptor: Int32, terminal: String?, noColour: String?) -> Bool {
        isatty(descriptor) == 1 && (noColour ?? "").isEmpty && terminal != "dumb"
    }
}
