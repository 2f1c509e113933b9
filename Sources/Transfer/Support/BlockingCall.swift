/// Asynchronous work that a thread waits for: what joins `ByteSource` and `ByteSink`, whose callers may be blocked, to
/// the asynchronous client.
///
/// Thread-safe. Never to be waited for on a thread of Swift's pool, which the work itself may need.
package final class BlockingCall<Value: Sendable>: Sendable {
    private let end: ThreadWait<Value>
    private let task: Task<Void, Never>

    /// Starts `body` in a task of its own.
    package init(_ body: @escaping @Sendable () async throws -> Value) {
        let end = ThreadWait<Value>()
        self.end = end
        task = Task {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            end.resolve(result)
        }
    }

    /// Waits for its end.
    ///
    /// - Throws: what `body` throws.
    package func wait() throws -> Value { try end.wait() }

    /// Cancels the task; `wait` still waits until it has ended.
    package func cancel() { task.cancel() }
}
