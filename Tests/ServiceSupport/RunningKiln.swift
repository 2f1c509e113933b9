import Foundation
import Locking
import ProcessTestSupport
import TestSupport
import TransferTestSupport

/// `kiln` as a process that goes on until it is told to end: a worker, a server. What it prints is kept.
///
/// It is killed with the last reference. Thread-safe.
package final class RunningKiln: Sendable {
    /// Its process.
    package let pid: Int32
    private let folder: Scratch
    private let status: Locked<Int32?>
    private let ended: AsyncFlag

    /// Starts it.
    ///
    /// - Parameter environment: its settings; those that this process has are kept from it.
    package init(_ arguments: [String], environment: [String: String]) throws {
        guard let executable = KilnProcess.executable else {
            throw BenchFailure("the executable kiln does not lie beside the tests")
        }
        let folder = try Scratch(), status = Locked<Int32?>(nil), ended = AsyncFlag()
        (self.folder, self.status, self.ended) = (folder, status, ended)
        let log = try FileHandle(forWritingTo: URL(filePath: folder.put("log", [])))
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !Self.isSetting($0.key) }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // One file position for both: nothing is written over.
        process.standardOutput = log
        process.standardError = log
        try process.run()
        pid = process.processIdentifier
        let running = Running(process: process)
        Thread.detachNewThread {
            let code = running.process.waitForOwnEnd()
            status.withLock { $0 = code }
            ended.raise()
        }
    }

    deinit { signal(SIGKILL) }

    /// `@unchecked Sendable`: after it was started, one thread waits for it and nobody else uses it.
    private struct Running: @unchecked Sendable {
        let process: Process
    }

    package var hasEnded: Bool { status.withLock { $0 != nil } }

    package func signal(_ number: Int32) {
        status.withLock { status in
            if status == nil { _ = kill(pid, number) }
        }
    }

    /// Waits for its end. It is killed if that takes too long.
    ///
    /// - Returns: its exit status; -1 if a signal ended it.
    package func end(within limit: Duration = .seconds(120)) async -> Int32 {
        let watchdog = Task {
            try await Task.sleep(for: limit)
            signal(SIGKILL)
        }
        await ended.wait()
        watchdog.cancel()
        return status.withLock { $0 ?? -1 }
    }

    /// What it has printed so far, or its last lines.
    package func log(lines: Int = .max) -> String {
        let text = String(decoding: folder.bytes("log"), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    /// Where one of its listeners ("API", "health listener") listens; `nil` as long as it has not said so in its log, which
    /// is in JSON.
    package func port(of listener: String) -> Int? {
        struct Line: Decodable {
            struct Metadata: Decodable { var port: Int? }
            var message: String
            var metadata: Metadata?
        }
        return log().split(separator: "\n").lazy
            .compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            .first { $0.message == "the \(listener) listens" }?.metadata?.port
    }

    /// Bytes that are resident; 0 if it has ended.
    package var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Whether a variable would be one of its settings.
    private static func isSetting(_ name: String) -> Bool {
        let prefixes = [
            "KILN_", "AWS_", "R2_", "OTEL_", "WORKER_", "HEALTH_CHECK_", "PG", "LOG_", "OPENAI_", "ANTHROPIC_", "FAL_",
            "TWILIO_", "WHISPER_", "POCKETSPHINX_",
        ]
        let names = [
            "DATABASE_URL", "REDIS_URL", "RUN_WORKERS", "ENABLE_WORKERS", "ENABLE_HEALTH_CHECK", "MAX_CONCURRENT_JOBS",
            "RETRY_DELAY_MS", "SHUTDOWN_GRACE", "PORT",
        ]
        return names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }
}
