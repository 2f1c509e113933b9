import Foundation
import JobQueue
import Locking

/// What a process of the service logs while it runs: a JSON object a line.
final class ProcessLog: Sendable {
    private struct State {
        var process: pid_t?
        var lines: [JSONValue] = []
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func take(_ line: String, _ process: pid_t) {
        let object = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
        let waiters = state.withLock { state in
            if state.lines.isEmpty { state.process = process }
            if let object { state.lines.append(object) }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The process has ended: nothing more comes.
    func end() {
        let waiters = state.withLock { state in
            state.isOver = true
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The first line with that message, once it has come; null if the process ends without it.
    func line(_ message: String) async -> JSONValue {
        var found: JSONValue?
        while found == nil {
            await withCheckedContinuation { waiter in
                let isThere = state.withLock { state in
                    found = state.lines.first { $0["message"]?.string == message }
                    if found == nil, state.isOver { found = .null }
                    if found == nil { state.waiters.append(waiter) }
                    return found != nil
                }
                if isThere { waiter.resume() }
            }
        }
        return found ?? .null
    }

    /// Where it listens, by the name of the listener.
    func port(_ listener: String) async -> Int {
        guard case .integer(let port)? = await line("the \(listener) listens")["metadata"]?["port"] else { return 0 }
        return Int(port)
    }

    /// Asks it to end, once: a second time would end it at once.
    func terminate() {
        let process = state.withLock { state in
            defer { state.process = nil }
            return state.process
        }
        if let process { kill(process, SIGTERM) }
    }
}
