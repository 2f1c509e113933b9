import CForkExec
import FoundationEssentials
import Glibc

/// Runs a program to its end and measures it from outside.
struct ChildProcess {
    /// What a process that has ended leaves behind.
    struct Ended {
        var output: [UInt8]
        var errors: String
        /// The exit status, or 128 and the signal that ended it.
        var status: Int32
        var run: Run
        /// What it wrote to files of a disk (write_bytes in /proc/pid/io): counted when the system's cache takes it,
        /// whether it ever reaches the disk or not. A file system in memory counts nothing.
        var diskBytesWritten: Int64
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// A path, or a name to look for in PATH.
    let program: String
    let arguments: [String]

    /// Runs it and waits.
    ///
    /// - Throws: ``Failure`` if it cannot be started or does not end with status 0.
    func run() throws -> Ended {
        let ended = try runToTheEnd()
        guard ended.status == 0 else {
            if ended.status == 127 { throw Failure(description: "there is no program \(program)") }
            let last = ended.errors.split(separator: "\n").suffix(5).joined(separator: "\n")
            throw Failure(
                description: "\(([program] + arguments).joined(separator: " ")) ended with \(ended.status): \(last)")
        }
        return ended
    }

    private func runToTheEnd() throws -> Ended {
        // Files, not pipes: nobody has to empty them while the child runs.
        let output = try Self.temporaryFile(), errors = try Self.temporaryFile()
        defer {
            close(output)
            close(errors)
        }
        let started = ContinuousClock.now
        let pid = try start(output: output, errors: errors)
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let wall = (ContinuousClock.now - started) / .seconds(1)
        // It has ended but is not gone: its counters can still be read.
        let read = Self.bytesRead(pid), written = Self.count("write_bytes", of: pid)
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return Ended(
            output: Self.contents(of: output), errors: String(decoding: Self.contents(of: errors), as: UTF8.self),
            status: signal == 0 ? (status >> 8) & 0xff : 128 + signal,
            run: Run(
                cpuSeconds: usage.cpuSeconds, wallSeconds: wall, peakBytes: Int64(usage.ru_maxrss) << 10,
                bytesRead: read), diskBytesWritten: written)
    }

    private func start(output: Int32, errors: Int32) throws -> pid_t {
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(nothing) }
        return try start(input: nothing, output: output, errors: errors)
    }

    /// Starts it with these descriptors for its own 0, 1 and 2. Who calls this must wait for it.
    func start(input: Int32, output: Int32, errors: Int32) throws -> pid_t {
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let environment = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + environment { free(word) } }
        let pid = cfe_start(program, words, environment, input, output, errors)
        guard pid > 0 else {
            throw Failure(description: "cannot start \(program): \(String(cString: strerror(errno)))")
        }
        return pid
    }

    /// All that the process has read by system calls, files mapped into memory left out (proc(5), /proc/pid/io).
    static func bytesRead(_ pid: pid_t) -> Int64 { count("rchar", of: pid) }

    private static func count(_ name: String, of pid: pid_t) -> Int64 {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/io", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name): ") }
        return line.flatMap { Int64($0.dropFirst(name.count + 2)) } ?? 0
    }

    private static func temporaryFile() throws -> Int32 {
        var path = Array("\(FileManager.default.temporaryDirectory.path)/kiln-benchmarks-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            throw Failure(description: "no temporary file: \(String(cString: strerror(errno)))")
        }
        // It lives as long as it is open, here and in the child.
        unlink(path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func contents(of descriptor: Int32) -> [UInt8] {
        let length = max(0, Int(lseek(descriptor, 0, SEEK_END)))
        var bytes = [UInt8](repeating: 0, count: length)
        let count = pread(descriptor, &bytes, length, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}

extension rusage {
    /// User and system time together.
    var cpuSeconds: Double {
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(ru_utime) + seconds(ru_stime)
    }
}
