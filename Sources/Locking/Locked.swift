import Glibc

/// A value behind a lock.
///
/// Not the standard library's `Mutex`, which calls futex(2) by itself when two threads meet. The thread sanitizer knows
/// nothing of that and reports races that are none, so that a real one would go unnoticed among them; it knows pthread's.
/// An uncontended lock costs the same, and each is one allocation more.
///
/// Thread-safe.
///
/// `@unchecked Sendable`: `value` is touched with the mutex held only.
package final class Locked<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    /// Takes the value over: nobody else may hold on to it.
    package init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Calls `body` with the lock held: briefly, and without taking it again.
    package func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
