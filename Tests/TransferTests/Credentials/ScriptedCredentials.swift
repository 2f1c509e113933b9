import Locking
import Transfer

/// Hands out what it is told to, in order, and then the last of it.
final class ScriptedCredentials: CredentialsProvider {
    let name = "script"
    private let results: [Result<Credentials, TransferError>]
    private let count = Locked(0)
    private let gate: AsyncGate?

    init(_ results: [Result<Credentials, TransferError>], gate: AsyncGate? = nil) {
        self.results = results
        self.gate = gate
    }

    /// How many times it was asked.
    var calls: Int { count.withLock { $0 } }

    func credentials() async throws -> Credentials {
        let index = count.withLock { count in
            defer { count += 1 }
            return min(count, results.count - 1)
        }
        if let gate { await gate.pass() }
        return try results[index].get()
    }
}

/// Tells that somebody has come, and lets him go when it is opened.
final class AsyncGate: Sendable {
    let arrived: AsyncStream<Void>
    private let arrive: AsyncStream<Void>.Continuation
    private let opened: AsyncStream<Void>
    private let opening: AsyncStream<Void>.Continuation

    init() {
        (arrived, arrive) = AsyncStream.makeStream()
        (opened, opening) = AsyncStream.makeStream()
    }

    func pass() async {
        arrive.yield()
        for await _ in opened {}
    }

    func open() { opening.finish() }

    /// Waits until somebody has come.
    func waitForArrival() async { for await _ in arrived { return } }
}
