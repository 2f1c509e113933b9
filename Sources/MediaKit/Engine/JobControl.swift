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
        var onStop: [Int: @Sendable () -> Void] = [:]
        var registrations = 0
    }
    private let state = Mutex(State())

    init(budget: CoreBudget, limits: Limits) {
        self.budget = budget
        self.limits = limits
        // `Duration` traps on what is too long for it.
        deadline = limits.wallSeconds.map { ContinuousClock.now + .seconds(min($0, 1e9)) }
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
            defer { held.onStop = [:] }
            return Array(held.onStop.values)
        }
        for action in actions { action() }
    }

    func cancel() { fail(MediaError(.cancelled, "cancelled")) }

    /// Runs `action` when the job fails or is cancelled: at once if it has already.
    ///
    /// - Returns: what `forget` takes. An action that holds on to something which holds on to this control must be
    ///   forgotten, or neither is ever freed.
    @discardableResult
    func onStop(_ action: @escaping @Sendable () -> Void) -> Int {
        let registration: Int? = state.withLock { held in
            guard held.failure == nil else { return nil }
            held.registrations += 1
            held.onStop[held.registrations] = action
            return held.registrations
        }
        if registration == nil { action() }
        return registration ?? 0
    }

    /// Takes an action of `onStop` back. It may still be running on another thread.
    func forget(_ registration: Int) {
        // Released after the lock is: what it held may come back here when it goes.
        _ = state.withLock { $0.onStop.removeValue(forKey: registration) }
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
