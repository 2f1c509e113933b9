import Dispatch
import FoundationEssentials

/// Postgres's own load generator.
struct PgBench: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let program: String

    /// - Parameter folder: with the server's binaries; PATH is searched after it.
    init(folder: URL) throws {
        let own = folder.appendingPathComponent("pgbench").path
        guard let found = FileManager.default.isExecutableFile(atPath: own) ? own : Peer.resolve("pgbench") else {
            throw Failure(
                description: "there is no pgbench in \(folder.path) or PATH: install postgresql's contributed programs")
        }
        program = found
    }

    /// Runs a script so many times on each connection.
    ///
    /// - Returns: how many seconds the transactions took all together, connecting left out.
    func run(
        _ script: String, on url: String, clients: Int = 2, transactions: Int, extra: [String] = []
    ) async throws -> Double {
        let program = program
        let output = try await offPool {
            let scratch = try ScratchFolder()
            let file = try scratch.write(script, to: "script.sql")
            let arguments =
                [
                    "-n", "-M", "prepared", "-c", "\(clients)", "-j", "\(clients)", "-t", "\(transactions)", "-f", file,
                ] + extra + [url]
            return String(
                decoding: try ChildProcess(program: program, arguments: arguments).run().output, as: UTF8.self)
        }
        // "tps = 123.4 (without initial connection time)"
        let lines = output.split(separator: "\n").filter { $0.hasPrefix("tps = ") }
        guard let rate = lines.last?.dropFirst(6).split(separator: " ").first.flatMap({ Double($0) }), rate > 0 else {
            throw Failure(description: "pgbench gave no rate: \(output)")
        }
        return Double(clients * transactions) / rate
    }
}

/// Runs what blocks on a thread that may be.
func offPool<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}
