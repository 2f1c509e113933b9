import Foundation
import ProcessTestSupport
import ServiceTestSupport
import TransferTestSupport

/// An app in Python that enqueues with psycopg.
enum PythonApp {
    /// What it has enqueued.
    struct Jobs: Decodable, Sendable {
        var kept: UUID
        /// In a transaction that was rolled back.
        var undone: UUID
    }

    /// A Python that has psycopg; `nil` where there is none.
    static let python: String? = MotoServer.python.flatMap {
        (try? run($0, ["-c", "import psycopg"])) == nil ? nil : $0
    }
    static let absence = "no psycopg: scripts/setup --test gets it from PyPI"

    /// - Parameter payload: JSON.
    static func enqueue(_ kind: String, _ payload: String, database: String) async throws -> Jobs {
        guard let python else { throw BenchFailure(absence) }
        let script = URL(filePath: #filePath).appending(path: "../../enqueue.py").standardized.path
        let output = try await BlockingThread.run {
            try run(
                python, [script], input: #"{"kind": "\#(kind)", "payload": \#(payload)}"#,
                environment: ["DATABASE_URL": database])
        }
        return try JSONDecoder().decode(Jobs.self, from: output)
    }

    private static func run(
        _ python: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe(), errors = Pipe(), stdin = Pipe()
        process.standardInput = stdin
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // A few lines each, which fit into a pipe.
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        guard process.waitForOwnEnd() == 0 else { throw BenchFailure(String(decoding: complaint, as: UTF8.self)) }
        return text
    }
}
