import FoundationEssentials
import Glibc

/// A program that runs until it is told to end, or until it has nothing left to do.
struct ServiceProcess: Sendable {
    /// What it leaves behind.
    struct Ended: Sendable {
        /// User and system time, that of its descendants included.
        var cpuSeconds: Double
        /// The largest sums over its tree.
        var memory: ProcessTree.Usage
        var output: String
    }

    let pid: pid_t
    /// When it was started, in microseconds since 1970.
    let started: Int64
    private let output: String
    private let errors: String
    private let name: String

    /// Starts a program, runs `body`, and ends it by SIGTERM. If `body` fails, the program is killed.
    ///
    /// - Throws: what `body` throws; `ChildProcess.Failure` if the program ends with another status than 0. Both with its
    ///   last lines.
    static func during<R: Sendable>(
        _ command: ChildProcess, _ body: @Sendable (ServiceProcess) async throws -> R
    ) async throws -> (R, Ended) {
        // Files of this folder are its standard output and errors.
        let scratch = try ScratchFolder()
        let process = try ServiceProcess(command, scratch)
        let sampler = MemorySampler(process.pid)
        async let memory = offPool { sampler.run() }
        let result: Result<R, any Error>
        do { result = .success(try await body(process)) } catch { result = .failure(error) }
        var failed = false
        if case .failure = result { failed = true }
        kill(process.pid, failed ? SIGKILL : SIGTERM)
        let (status, usage) = try await offPool { process.wait() }
        sampler.stop()
        let peak = try await memory
        let errors = process.lastErrors
        switch result {
        case .failure(let error):
            throw ChildProcess.Failure(description: "\(process.name): \(error)\n\(errors)")
        case .success(let value):
            guard status == 0 else {
                throw ChildProcess.Failure(description: "\(process.name) ended with \(status):\n\(errors)")
            }
            let text = (try? String(contentsOfFile: process.output, encoding: .utf8)) ?? ""
            return (value, Ended(cpuSeconds: usage.cpuSeconds, memory: peak, output: text))
        }
    }

    private init(_ command: ChildProcess, _ scratch: ScratchFolder) throws {
        name = command.program
        output = scratch.path("output")
        errors = scratch.path("errors")
        let files = ["/dev/null", output, errors].map { (path: String) in
            open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        }
        defer { for file in files where file >= 0 { close(file) } }
        guard files.allSatisfy({ $0 >= 0 }) else {
            throw ChildProcess.Failure(description: "no file for the output of \(command.program)")
        }
        started = ProbePayload.now
        pid = try command.start(input: files[0], output: files[1], errors: files[2])
    }

    /// Whether it has come to its end. Its counters stay until it is waited for.
    var hasEnded: Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT | WNOHANG) == 0 && information.si_signo != 0
    }

    /// - Returns: the exit status, or 128 and the signal that ended it.
    private func wait() -> (status: Int32, usage: rusage) {
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return (signal == 0 ? (status >> 8) & 0xff : 128 + signal, usage)
    }

    private var lastErrors: String {
        let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }
}
