import ByteIO
import CAVShim
import Synchronization

/// What all stages of one job share: whether to go on, why not, the log, the budget.
///
/// Thread safety: all members may be used from any thread.
final class JobControl: Sendable {
    let log = JobLog()
    let budget: CoreBudget
    let limits: Limits
    let warnings = WarningList()
    let progress = ProgressMeter()
    /// The deadline on the monotonic clock, if wall time is limited.
    let deadline: ContinuousClock.Instant?

    private let stopped = Atomic<Bool>(false)
    private struct State {
        var failure: MediaError?
        var onStop: [(token: Int, action: @Sendable () -> Void)] = []
        var lastToken = 0
    }
    private let state = Mutex(State())

    init(budget: CoreBudget, limits: Limits) {
        self.budget = budget
        self.limits = limits
        deadline = limits.wallSeconds.map { ContinuousClock.now + .seconds($0) }
    }

    /// Whether stages should end. One atomic read, cheap enough for every packet.
    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// The first failure, which is the one that is reported.
    var failure: MediaError? { state.withLock { $0.failure } }

    /// Ends the job. Only the first call counts; what was registered with `onStop` runs on the calling thread.
    func fail(_ error: any Error) {
        var failure = MediaError.wrapping(error)
        if failure.log.isEmpty { failure.log = log.recent() }
        let actions: [@Sendable () -> Void] = state.withLock { held in
            guard held.failure == nil else { return [] }
            held.failure = failure
            stopped.store(true, ordering: .releasing)
            defer { held.onStop = [] }
            return held.onStop.map(\.action)
        }
        for action in actions { action() }
    }

    func cancel() { fail(MediaError(.cancelled, "cancelled")) }

    /// Runs `action` when the job fails or is cancelled: at once if it has already.
    ///
    /// - Returns: what `forget` takes. Who is held by `action` and holds this in turn must call that in the end.
    @discardableResult
    func onStop(_ action: @escaping @Sendable () -> Void) -> Int {
        let token: Int? = state.withLock { held in
            guard held.failure == nil else { return nil }
            held.lastToken += 1
            held.onStop.append((held.lastToken, action))
            return held.lastToken
        }
        if token == nil { action() }
        return token ?? 0
    }

    func forget(_ token: Int) {
        // Released outside the lock: it may be the last reference to half of the job.
        let removed = state.withLock { held in
            let index = held.onStop.firstIndex { $0.token == token }
            return index.map { held.onStop.remove(at: $0) }
        }
        _ = removed
    }

    /// Throws the failure if there is one, or when the wall time is over.
    func checkpoint() throws {
        if isStopped { throw failure ?? MediaError(.cancelled, "cancelled") }
        if let deadline, ContinuousClock.now > deadline {
            throw MediaError(
                .resourceLimit, "the wall time limit of \(limits.wallSeconds ?? 0) s is over",
                hint: "raise limits.wallSeconds or give the job more threads")
        }
    }

    /// The callback that libav asks during blocking work. Reads one flag.
    var interruptCallback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { opaque in
                guard let opaque else { return 0 }
                return Unmanaged<JobControl>.fromOpaque(opaque).takeUnretainedValue().isStopped ? 1 : 0
            },
            opaque: Unmanaged.passUnretained(self).toOpaque())
    }
}

/// Warnings collected by all stages of a job, each once.
final class WarningList: Sendable {
    private let held = Mutex<[MediaWarning]>([])

    func add(_ warning: MediaWarning) {
        held.withLock { list in
            // A flood of warnings helps nobody.
            if list.count < 200, !list.contains(warning) { list.append(warning) }
        }
    }

    var all: [MediaWarning] { held.withLock { $0 } }
}
