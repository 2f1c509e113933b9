import Foundation

/// Wakes a thread that waits in `poll()`.
///
/// Sendable by construction: the descriptors never change, and reading and writing a pipe is safe from any thread.
final class WakeSignal: Sendable {
    let readDescriptor: Int32
    private let writeDescriptor: Int32

    init() throws(QueueError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw QueueError(
                .internal, "no pipe for a connection's thread: \(String(cString: strerror(errno)))",
                hint: "raise the limit of open files (ulimit -n)")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readDescriptor = ends[0]
        writeDescriptor = ends[1]
    }

    deinit {
        close(readDescriptor)
        close(writeDescriptor)
    }

    /// Makes the descriptor readable. A full pipe already is.
    func raise() {
        var byte: UInt8 = 1
        _ = write(writeDescriptor, &byte, 1)
    }

    /// Makes the descriptor unreadable again.
    func lower() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(readDescriptor, &bytes, bytes.count) == bytes.count {}
    }
}

/// What `poll()` saw.
struct SocketEvents {
    var readable = false
    var writable = false
    var woken = false
}

extension WakeSignal {
    /// Waits until `socket` is ready, the signal is raised or `limit` has passed, whichever is first.
    func wait(
        socket: Int32?, forWriting: Bool = false, forReading: Bool = true, until limit: ContinuousClock.Instant?
    ) -> SocketEvents {
        var descriptors = [pollfd(fd: readDescriptor, events: Int16(POLLIN), revents: 0)]
        if let socket, socket >= 0 {
            let events = (forReading ? Int16(POLLIN) : 0) | (forWriting ? Int16(POLLOUT) : 0)
            descriptors.append(pollfd(fd: socket, events: events, revents: 0))
        }
        var milliseconds: Int32 = -1
        if let limit {
            let left = ContinuousClock.now.duration(to: limit)
            // Up, so as not to spin through the last millisecond.
            milliseconds = Int32(min(max(0, left / .milliseconds(1)).rounded(.up), 1e9))
        }
        // A signal that interrupts looks like nothing having happened; every caller loops.
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0 else { return SocketEvents() }
        var events = SocketEvents(woken: descriptors[0].revents != 0)
        if descriptors.count > 1 {
            let seen = descriptors[1].revents
            let trouble = Int16(POLLERR | POLLHUP | POLLNVAL)
            events.readable = seen & (Int16(POLLIN) | trouble) != 0
            events.writable = seen & (Int16(POLLOUT) | trouble) != 0
        }
        if events.woken { lower() }
        return events
    }
}
