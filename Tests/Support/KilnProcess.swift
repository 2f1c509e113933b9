public import Foundation
import ProcessTestSupport
import Synchronization

/// The real command, run as a process of its own.
public struct KilnProcess {
    /// How a run ended and what it printed.
    public struct Outcome: Sendable {
        /// -1 where a signal ended it.
        public var status: Int32
        public var output: [UInt8]
        public var error: String
        /// The most bytes that were resident, where that was asked for.
        public var peakBytes: Int?
        public var text: String { String(decoding: output, as: UTF8.self) }

        /// Reads what was printed as JSON.
        public func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONDecoder().decode(type, from: Data(output))
        }
    }

    /// The executable that was built along with the tests: it lies beside them.
    public static let executable: URL? = {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let folders = [tests.deletingLastPathComponent(), Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
        // A bundle may be the folder itself or a thing within it.
        return folders.flatMap { [$0, $0.deletingLastPathComponent()] }
            .map { $0.appending(path: "kiln") }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()

    public struct NotBuilt: Error, CustomStringConvertible {
        public let description = "the executable kiln does not lie beside the tests"
    }

    /// Runs `kiln` to its end.
    ///
    /// - Parameters:
    ///   - input: what it finds on standard input.
    ///   - environment: variables besides those of this process.
    ///   - interruption: a signal that it is sent as soon as it has printed a line on standard error.
    ///   - launcher: a command that becomes `kiln`, which is its last argument, with `kiln`'s own behind: strace, a shell.
    ///   - onLine: is told each line of standard error when it has come, and the process.
    ///   - watchesMemory: whether ``Outcome/peakBytes`` is wanted.
    public static func run(
        _ arguments: [String], input: [UInt8] = [], in folder: String? = nil, interruption: Int32? = nil,
        environment: [String: String] = [:], launcher: [String] = [],
        onLine: (@Sendable (String, pid_t) -> Void)? = nil,
        watchesMemory: Bool = false
    ) async throws -> Outcome {
        let process = Process()
        guard let executable else { throw NotBuilt() }
        process.executableURL = launcher.isEmpty ? executable : URL(filePath: "/usr/bin/env")
        process.arguments = launcher.isEmpty ? arguments : launcher + [executable.path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        let output = try Channel(), error = try Channel(), stdin = try Channel()
        process.standardOutput = output.writing
        process.standardError = error.writing
        process.standardInput = stdin.reading
        let ended = AsyncStream<Int32>.makeStream()
        try process.run()
        let running = Running(process: process)
        Thread.detachNewThread {
            ended.continuation.yield(running.process.waitForOwnEnd())
            ended.continuation.finish()
        }
        let identifier = process.processIdentifier
        // The child has its own now.
        for end in [output.writing, error.writing, stdin.reading] { try end.close() }
        async let printed = readAll(output.reading)
        let isFirst = Mutex(true)
        async let complained = readAll(error.reading) { line in
            if let interruption, isFirst.withLock({ first in (first, first = false).0 }) {
                kill(identifier, interruption)
            }
            onLine?(line, identifier)
        }
        async let peak = watchesMemory ? peakBytes(of: identifier) : nil
        feed(input, to: stdin.writing)
        var status: Int32 = -1
        for await value in ended.stream { status = value }
        return Outcome(
            status: status, output: await printed, error: String(decoding: await complained, as: UTF8.self),
            peakBytes: await peak)
    }

    /// The kernel's own mark of a process's most resident memory, looked at until the process ends: what it grows by in
    /// its last moments is missed. (What `wait4` says would do, but that counts the process before it became another one,
    /// which is a copy of this one.)
    private static func peakBytes(of identifier: Int32) async -> Int? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var peak: Int?
                while let text = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8),
                    let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                    let kilobytes = line.split(separator: " ").compactMap({ Int($0) }).first
                {
                    // Not the greatest: the mark begins anew when the process becomes another.
                    peak = kilobytes << 10
                    usleep(5000)
                }
                continuation.resume(returning: peak)
            }
        }
    }

    /// `@unchecked Sendable`: after it was started, one thread waits for it and nobody else uses it.
    private struct Running: @unchecked Sendable {
        let process: Process
    }

    /// A pipe whose ends no other process inherits: one that is started meanwhile would keep it open, and its reader would
    /// wait for an end that does not come.
    private struct Channel {
        let reading: FileHandle
        let writing: FileHandle

        init() throws {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
            writing = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        }
    }

    /// Reads to the end on a thread of its own. `look` sees each line when it has come.
    private static func readAll(
        _ handle: FileHandle, look: @escaping @Sendable (String) -> Void = { _ in }
    ) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                var seen = 0
                while true {
                    let part = handle.availableData
                    if part.isEmpty { break }
                    bytes += part
                    while let end = bytes[seen...].firstIndex(of: UInt8(ascii: "\n")) {
                        look(String(decoding: bytes[seen..<end], as: UTF8.self))
                        seen = end + 1
                    }
                }
                continuation.resume(returning: bytes)
            }
        }
    }

    private static func feed(_ bytes: [UInt8], to handle: FileHandle) {
        Thread.detachNewThread {
            // A reader that has seen enough is no failure of the test.
            signal(SIGPIPE, SIG_IGN)
            try? handle.write(contentsOf: Data(bytes))
            try? handle.close()
        }
    }
}
