import Glibc

/// A thread of our own, for calls that block: they must not run on Swift's pool.
package enum OwnThread {
    /// Starts `body` on a new thread, which takes no signals: they are the rest of the program's. SIGPIPE, which a
    /// write to a connection without a reader raises in the very thread, then does nothing but stay pending.
    ///
    /// - Throws: ``TransferError`` with code `internal`.
    static func start(_ body: @escaping @Sendable () -> Void) throws(TransferError) {
        let start = Unmanaged.passRetained(Start(body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        defer { pthread_attr_destroy(&attributes) }
        var handle = pthread_t()
        let result = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                OwnThread.refuseSignals()
                start.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw TransferError(.internal, "cannot start a thread: \(String(cString: strerror(result)))")
        }
    }

    private static func refuseSignals() {
        var signals = sigset_t()
        sigfillset(&signals)
        // What a fault in this thread raises must end the process as it does elsewhere.
        for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&signals, signal) }
        pthread_sigmask(SIG_SETMASK, &signals, nil)
    }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
