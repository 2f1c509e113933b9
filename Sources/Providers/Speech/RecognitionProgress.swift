import Locking
import MediaKit

/// Seconds recognised of those that there are; as long as it is read, what there are is estimated.
///
/// Thread-safe.
final class RecognitionProgress: Sendable {
    private struct State {
        /// Seconds of the source.
        var total: Double?
        /// Of all channels.
        var done = 0.0
        var channels = 1
        var told = 0.0
    }

    private let start: Double
    private let end: Double?
    private let tell: (@Sendable (Double) -> Void)?
    private let state = Locked(State())

    init(_ request: TranscriptionRequest, _ tell: (@Sendable (Double) -> Void)?) {
        start = request.start ?? 0
        end = request.end
        self.tell = tell
    }

    /// How far it is read.
    func read(_ progress: Progress) {
        guard let fraction = progress.fraction, fraction > 0.001, progress.position > 0 else { return }
        state.withLock { $0.total = $0.total.map { max($0, progress.position) } ?? progress.position / fraction }
    }

    /// So many channels are recognised each by itself.
    func cut(_ channels: Int) { state.withLock { $0.channels = max(1, channels) } }

    /// It is read to its end, a second of the source.
    func readAll(to end: Double) { state.withLock { $0.total = max(end - start, 0.001) } }

    func recognised(_ chunk: SpeechChunk) {
        state.withLock { state in
            state.done += chunk.duration
            guard let total = state.total, total > 0 else { return }
            report(state.done / (total * Double(state.channels)), &state)
        }
    }

    func finish() { state.withLock { report(1, &$0) } }

    /// With the lock held: reports come in order.
    private func report(_ fraction: Double, _ state: inout State) {
        let fraction = min(fraction, 1)
        guard fraction > state.told else { return }
        state.told = fraction
        tell?(fraction)
    }
}
