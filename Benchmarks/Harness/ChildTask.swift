import ArgumentParser
import FoundationEssentials
import Glibc
import MediaKit

/// Work that a process of its own does, so that its memory can be measured.
enum ChildTask: Codable {
    /// Carries out requests one after another. Those of `warmUp` come first and are not measured.
    case jobs([MediaRequest], warmUp: [MediaRequest])
    /// The cost of a request's pictures, step by step.
    case floor(MediaRequest)
    case compare(String, String)
    /// The ASS script that a subtitle file is drawn from.
    case script(subtitles: String, width: Int, height: Int)

    /// What `jobs` answers.
    struct Jobs: Codable {
        var results: [MediaResult]
        /// Measured inside the process, around the jobs.
        var run: Run
    }

    /// Does the task in a process of its own.
    ///
    /// - Returns: its answer, and the process as seen from outside.
    func perform<Answer: Decodable>(as type: Answer.Type) throws -> (answer: Answer, process: Run) {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        let ended = try ChildProcess(program: try Self.ownPath(), arguments: [ChildCommand.name, text]).run()
        return (try JSONDecoder().decode(type, from: Data(ended.output)), ended.run)
    }

    /// The program that is running.
    static func ownPath() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    /// Carries out requests in a process of their own, and says what they took.
    ///
    /// Time is that of the jobs inside the process, since a program that uses the library starts once. Memory is the
    /// whole process's.
    static func run(_ requests: [MediaRequest], warmUp: [MediaRequest] = []) throws -> Jobs {
        var (answer, process) = try ChildTask.jobs(requests, warmUp: warmUp).perform(as: Jobs.self)
        answer.run.peakBytes = process.peakBytes
        return answer
    }
}

/// The hidden subcommand that carries out a ``ChildTask`` and prints the answer as JSON.
struct ChildCommand: AsyncParsableCommand {
    static let name = "run-task"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Argument var task: String

    func run() async throws {
        // As the command `kiln` does.
        ProcessMemory.shareHeaps()
        switch try JSONDecoder().decode(ChildTask.self, from: Data(task.utf8)) {
        case .jobs(let requests, let warmUp): try answer(try await carryOut(requests, warmUp: warmUp))
        case .floor(let request): try answer(try await EncodeFloor.measure(request))
        case .compare(let first, let second): try answer(try await MediaComparison.of(first, second))
        case .script(let path, let width, let height):
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let style = CaptionStyle()
            let measurer = try CaptionTextMeasurer(defaultFamily: style.fontFamily)
            let made = try SubtitleDocument.parse(bytes, name: path).script(
                style: style, geometry: CaptionCanvas(width: width, height: height)
            ) { measurer.width(of: $0, family: style.fontFamily, bold: $1, italic: $2) }
            try answer(made.script.text)
        }
    }

    private func carryOut(_ requests: [MediaRequest], warmUp: [MediaRequest]) async throws -> ChildTask.Jobs {
        let engine = MediaEngine()
        for request in warmUp { _ = try await engine.execute(request) }
        let before = Self.usage(), read = ChildProcess.bytesRead(getpid()), started = ContinuousClock.now
        var results: [MediaResult] = []
        for request in requests { results.append(try await engine.execute(request)) }
        let wall = (ContinuousClock.now - started) / .seconds(1), after = Self.usage()
        return ChildTask.Jobs(
            results: results,
            run: Run(
                cpuSeconds: after.cpuSeconds - before.cpuSeconds, wallSeconds: wall,
                peakBytes: Int64(after.ru_maxrss) << 10, bytesRead: ChildProcess.bytesRead(getpid()) - read))
    }

    private func answer(_ value: some Encodable) throws {
        try JSONEncoder().encode(value).withUnsafeBytes { bytes in
            var rest = bytes[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                let count = write(STDOUT_FILENO, base, rest.count)
                guard count > 0 else { throw ExitCode.failure }
                rest = rest.dropFirst(count)
            }
        }
    }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }
}
