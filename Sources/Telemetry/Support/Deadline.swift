/// What `task` returns, or `nil` if it takes longer than `limit` or the caller is cancelled. The task itself goes on.
func value<Value: Sendable>(of task: Task<Value, Never>, within limit: Duration) async -> Value? {
    let (results, continuation) = AsyncStream<Value?>.makeStream()
    let waiter = Task { continuation.yield(await task.value) }
    let timer = Task {
        try? await Task.sleep(for: limit)
        continuation.yield(nil)
    }
    defer {
        waiter.cancel()
        timer.cancel()
    }
    for await result in results { return result }
    return nil
}
