import CAVShim
import Glibc

/// A thread of the engine's own: libav blocks, and what blocks must not run on Swift's cooperative threads.
final class EngineThread {
    private var handle = pthread_t()

    /// Starts `body` on a new thread.
    ///
    /// - Parameter name: shown by debuggers and `top`; cut to 15 bytes.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        // Codecs put their scratch buffers on the stack; 2 MiB is plenty and, unlike the default of 8, costs little
        // address space with many jobs.
        pthread_attr_setstacksize(&attributes, 2 << 20)
        defer { pthread_attr_destroy(&attributes) }
        let result = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                cav_thread_set_name(String(start.name.prefix(15)))
                start.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            let text = String(cString: strerror(result))
            throw MediaError(
                .resourceLimit, "cannot start a thread: \(text)", libav: .init(code: -result, text: text))
        }
    }

    /// Waits for the thread's end. To be called once.
    func join() { pthread_join(handle, nil) }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs blocking `body` on a thread of its own and waits for its result without blocking the caller's thread.
    static func run<Result: Sendable>(
        name: String, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            do {
                let thread = try EngineThread(name: name) {
                    continuation.resume(with: Swift.Result { try body() })
                }
                thread.detach()
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func detach() { pthread_detach(handle) }
}
