import Synchronization

/// How far a job has come.
public struct Progress: Codable, Sendable, Equatable {
    /// 0…1, or `nil` where the length is unknown.
    public var fraction: Double?
    /// Seconds of the result that are written.
    public var position: Double
    /// Seconds of the result per second on the clock.
    public var speed: Double
    /// Pictures per second on the clock; 0 for sound alone.
    public var framesPerSecond: Double
    /// Seconds until the end, or `nil` where the length is unknown.
    public var eta: Double?
    /// Bytes written so far.
    public var bytes: Int64

    public init(
        fraction: Double?, position: Double, speed: Double, framesPerSecond: Double, eta: Double?, bytes: Int64
    ) {
        self.fraction = fraction
        self.position = position
        self.speed = speed
        self.framesPerSecond = framesPerSecond
        self.eta = eta
        self.bytes = bytes
    }
}

/// Collects progress from the stages.
///
/// Thread safety: all members may be used from any thread.
final class ProgressMeter: Sendable {
    private let position = Atomic<Int64>(0)
    private let frames = Atomic<Int64>(0)
    private let bytes = Atomic<Int64>(0)
    private struct Span {
        /// Microseconds; `nil` if unknown.
        var total: Int64?
        /// How the whole is divided over several runs of a graph, such as two passes.
        var done = 0.0
        var share = 1.0
    }
    private let span = Mutex(Span())
    private let started = ContinuousClock.now

    func expect(microseconds: Int64?) { span.withLock { $0.total = microseconds } }

    /// Begins a run that makes up `share` of the whole.
    func begin(done: Double, share: Double) {
        span.withLock {
            $0.done = done; $0.share = share
        }
        position.store(0, ordering: .relaxed)
    }

    func written(until microseconds: Int64) {
        position.max(microseconds, ordering: .relaxed)
    }

    func written(bytes count: Int64) { bytes.store(count, ordering: .relaxed) }
    func countFrame() { frames.wrappingAdd(1, ordering: .relaxed) }

    func advance(frame: Frame, timeBase: Rational) {
        if frame.width > 0 { countFrame() }
        if let pts = frame.pts { written(until: timeBase.rescale(pts + frame.duration, to: .microseconds)) }
    }

    var snapshot: Progress {
        let elapsed = (ContinuousClock.now - started) / .seconds(1)
        let seconds = Double(position.load(ordering: .relaxed)) / 1e6
        let span = span.withLock { $0 }
        var fraction: Double?
        var eta: Double?
        if let total = span.total, total > 0 {
            let done = span.done + span.share * min(1, max(0, seconds * 1e6 / Double(total)))
            fraction = done
            if done > 0 { eta = elapsed * (1 - done) / done }
        }
        let clock = max(elapsed, 1e-6)
        return Progress(
            fraction: fraction, position: seconds, speed: seconds / clock,
            framesPerSecond: Double(frames.load(ordering: .relaxed)) / clock, eta: eta,
            bytes: bytes.load(ordering: .relaxed))
    }
}
