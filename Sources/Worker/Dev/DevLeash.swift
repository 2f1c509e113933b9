import Glibc
import Locking
import MediaKit

/// What makes sure that nothing outlives `kiln dev`, however that ends: a shell that waits until this process is gone or
/// lets go, then ends what still runs and removes the folders.
///
/// It holds the reading end of a pipe, whose writing end goes with this process even if that is killed. What is started
/// tells its process identifier down the pipe before it becomes the program, so that there is no moment at which it
/// would be forgotten.
///
/// Thread-safe.
final class DevLeash: Sendable {
    private let watcher: ChildProcess
    private let pipe: HandedDescriptor

    /// - Parameters:
    ///   - lock: a descriptor whose lock is held until all is tidied up.
    ///   - folders: are removed then, in this order.
    init(lock: HandedDescriptor, removing folders: [String]) throws {
        var ends: [Int32] = [-1, -1]
        // Nothing else starts a program now, which might inherit these before they are moved.
        guard Glibc.pipe(&ends) == 0 else {
            throw MediaError(.io, "cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        let reading = try HandedDescriptor(takingOwnershipOf: ends[0])
        pipe = try HandedDescriptor(takingOwnershipOf: ends[1])
        // It has no log: the folder that it would be in is removed.
        watcher = try ChildProcess(
            ["/bin/sh", "-c", Self.script, "kiln-dev"] + folders, log: "/dev/null",
            descriptors: [3: reading.number, 9: lock.number])
        withExtendedLifetime(reading) {}
    }

    /// Starts a program that ends with this process.
    ///
    /// - Parameter log: the file that its output is appended to.
    func start(_ words: [String], log: String) throws -> ChildProcess {
        try ChildProcess(
            ["/bin/sh", "-c", #"cd / && LC_ALL=C && export LC_ALL && echo "start $$" >&3 && exec "$@" 3>&-"#, "sh"]
                + words, log: log, descriptors: [3: pipe.number]
        ) { [pipe] in pipe.write("end\n") }
    }

    /// Lets go, and waits until all has ended and is removed.
    func release() async {
        pipe.close()
        _ = try? await watcher.wait()
    }

    /// Postgres takes SIGINT for a quick and orderly end, SIGQUIT for one without order. A process that nobody collects has
    /// ended, too.
    private static let script = #"""
        trap '' HUP INT TERM
        running=
        while read -r word number; do
            case $word in
            start) running=$number ;;
            end) running= ;;
            esac
        done <&3
        gone() {
            ! kill -s 0 "$running" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$running/status" 2>/dev/null
        }
        stop() {
            kill -s "$1" -- "-$running" 2>/dev/null
            left=$2
            while ! gone && [ "$left" -gt 0 ]; do
                sleep 0.05
                left=$((left - 1))
            done
        }
        if [ -n "$running" ]; then
            stop INT 200
            gone || stop QUIT 60
            gone || stop KILL 20
        fi
        for folder; do
            # In one step, so that whoever comes next finds all of it or nothing.
            mv -- "$folder" "$folder.gone-$$" 2>/dev/null && folder=$folder.gone-$$
            rm -rf -- "$folder"
        done
        """#
}

/// A descriptor that is handed on to programs, and closed once.
///
/// It is moved out of the way of the numbers under which programs find theirs.
///
/// Thread-safe: it is closed under a lock, and no other call is made by then.
final class HandedDescriptor: Sendable {
    let number: Int32
    private let state = Locked(true)

    /// - Throws: ``MediaError`` with code `io`.
    init(takingOwnershipOf descriptor: Int32) throws {
        number = fcntl(descriptor, F_DUPFD_CLOEXEC, 10)
        let error = errno
        Glibc.close(descriptor)
        guard number >= 0 else { throw MediaError(.io, "too many open files: \(String(cString: strerror(error)))") }
    }

    deinit { close() }

    /// Writes a word or two; nobody is left to be told of a failure.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        state.withLock { isOpen in
            if isOpen { _ = Glibc.write(number, bytes, bytes.count) }
        }
    }

    func close() {
        state.withLock { isOpen in
            if isOpen { Glibc.close(number) }
            isOpen = false
        }
    }
}
