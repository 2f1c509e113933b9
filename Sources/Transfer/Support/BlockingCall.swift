import Glibc

/// Asynchronous work that a thread waits for: what joins `ByteSource` and `ByteSink`, whose callers may be blocked, to
/// the asynchronous client.
///
/// Thread-safe. Never to be waited for on a thread of Swift's pool, which the work itself may need.
package final class BlockingCall<Value: Sendable>: Sendable {
    private let outcome = Locked<Result<Value, any Error>?>(nil)
    private let done = ThreadSignal()
    private let task = Locked<Task<Void, Never>?>(nil)

    /// Starts `body` in a task of its own.
    package init(_ body: @escaping @Sendable () async throws -> Value) {
        let task = Task { [outcome, done] in
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            done.raise()
        }
        self.task.withLock { $0 = task }
    }

    /// Waits for its end.
    package func wait() throws -> Value {
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }

    /// Cancels the task; `wait` still waits until it has ended.
    package func cancel() { task.withLock { $0 }?.cancel() }
}

/// Lets threads wait until something has happened.
///
/// `@unchecked Sendable`: `isRaised` is touched with the mutex held only.
package final class ThreadSignal: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isRaised = false

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Lets all waiting threads go, and all later ones.
    package func raise() {
        pthread_mutex_lock(mutex)
        isRaised = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Blocks the thread until it is raised; not at all if it was before.
    package func wait() {
        pthread_mutex_lock(mutex)
        while !isRaised { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
    }
}
