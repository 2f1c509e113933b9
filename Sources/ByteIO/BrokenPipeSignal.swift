import Glibc

/// Runs `body` so that a write to a pipe without a reader fails with EPIPE and does no more: SIGPIPE, which would end
/// the process, is held back in this thread and taken away if it came. What the process does with the signal
/// elsewhere is not touched.
func withoutBrokenPipeSignal<Value>(_ body: () throws -> Value) rethrows -> Value {
    var pipeSignal = sigset_t()
    sigemptyset(&pipeSignal)
    sigaddset(&pipeSignal, SIGPIPE)
    var pending = sigset_t()
    sigpending(&pending)
    var before = sigset_t()
    // One that was pending already is not ours to take.
    guard sigismember(&pending, SIGPIPE) == 0, pthread_sigmask(SIG_BLOCK, &pipeSignal, &before) == 0 else {
        return try body()
    }
    defer {
        var atOnce = timespec()
        while sigtimedwait(&pipeSignal, nil, &atOnce) < 0, errno == EINTR {}
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return try body()
}
