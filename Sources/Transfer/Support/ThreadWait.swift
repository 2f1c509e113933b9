import Locking

/// Something that one thread waits for and others bring about: a result, or the reason why there will be none. The
/// first that comes stays.
///
/// Unlike ``BlockingCall`` it can be ended at once from any thread, whatever the work behind it still does.
///
/// Thread-safe. Never to be waited for on a thread of Swift's pool.
final class ThreadWait<Value: Sendable>: Sendable {
    private let outcome = Locked<Result<Value, any Error>?>(nil)
    private let done = ThreadSignal()

    func resolve(_ result: Result<Value, any Error>) {
        outcome.withLock { $0 = $0 ?? result }
        done.raise()
    }

    func wait() throws -> Value {
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}
