import CCurl
import Locking

/// The thread that carries requests out, as the rest of the program sees it: commands go in, and what becomes of them
/// is told to their exchanges.
///
/// Thread-safe.
final class CurlLoop: Sendable {
    enum Command: Sendable {
        case start(Exchange)
        case resumeReceiving(Exchange)
        case resumeSending(Exchange)
        case remove(Exchange)
        /// A deadline has changed.
        case look
    }

    private struct State {
        var commands: [Command] = []
        var isStopping = false
        /// Whether the multi handle may still be touched.
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var statistics = HTTPStatistics()
    }

    /// `@unchecked Sendable`: the thread alone uses it, but for curl_multi_wakeup, which any thread may call as long
    /// as the handle lives; `isOver` says how long.
    struct Multi: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }

    private let state = Locked(State())
    private let multi: Multi

    /// 0 on success. Once in a process; thread-safe, as static members are.
    private static let globalResult = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// - Throws: ``TransferError`` with code `internal`.
    init(_ configuration: HTTPConfiguration) throws(TransferError) {
        guard Self.globalResult == CURLE_OK, let pointer = curl_multi_init() else {
            throw TransferError(.internal, "libcurl cannot be started")
        }
        multi = Multi(pointer: pointer)
        // Idle connections that are kept.
        ccurl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, configuration.idleConnections)
        do {
            try OwnThread.start { [self] in CurlDriver(loop: self, multi: multi.pointer, configuration).run() }
        } catch {
            curl_multi_cleanup(pointer)
            throw error
        }
    }

    /// Hands a command over. After the end, what is to be started fails at once.
    func submit(_ command: Command) {
        let isTaken = state.withLock { state in
            guard !state.isStopping else { return false }
            state.commands.append(command)
            curl_multi_wakeup(multi.pointer)
            return true
        }
        if !isTaken, case .start(let exchange) = command { exchange.end(Self.closed) }
    }

    /// Ends all requests and the thread, soon.
    func stop() {
        state.withLock { state in
            guard !state.isStopping else { return }
            state.isStopping = true
            curl_multi_wakeup(multi.pointer)
        }
    }

    func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiters.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    var statistics: HTTPStatistics { state.withLock { $0.statistics } }
    func count(_ change: (inout HTTPStatistics) -> Void) { state.withLock { change(&$0.statistics) } }

    static var closed: TransferError {
        TransferError(.closed, "the HTTP client was shut down", mayHaveTakenEffect: false)
    }

    // MARK: For the thread

    /// What has come in since the last call, and whether it is to stop.
    func take() -> (commands: [Command], isStopping: Bool) {
        state.withLock { state in
            defer { state.commands = [] }
            return (state.commands, state.isStopping)
        }
    }

    /// The thread is about to end, and nobody wakes it any more.
    func stopped() {
        let waiters = state.withLock { state in
            state.isStopping = true
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
