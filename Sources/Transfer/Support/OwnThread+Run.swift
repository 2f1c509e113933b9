extension OwnThread {
    /// Runs `body`, which blocks, on a thread of its own and waits for it. For calls of the file system: a network's
    /// may take as long as it likes. A cancel does not end them.
    ///
    /// - Throws: what `body` throws.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { waiter in
            do {
                try start { waiter.resume(with: Result { try body() }) }
            } catch {
                waiter.resume(throwing: error)
            }
        }
    }
}
