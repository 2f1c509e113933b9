import Locking
import Transfer

/// Chunks on their way from the thread that reads to the tasks that recognise. Holds few: the reader waits.
///
/// Thread-safe.
final class ChunkHandoff: Sendable {
    private struct State {
        var chunks: [SpeechChunk] = []
        var isFinished = false
        var isClosed = false
        var readers: [CheckedContinuation<SpeechChunk?, Never>] = []
        var writer: ThreadSignal?
    }

    private let capacity: Int
    private let state = Locked(State())

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Hands a chunk over. Blocks the thread while there are enough.
    ///
    /// - Throws: `CancellationError` after `close`.
    func offer(_ chunk: SpeechChunk) throws {
        while true {
            let signal = ThreadSignal()
            enum Outcome { case taken, closed, full, handed(CheckedContinuation<SpeechChunk?, Never>) }
            let outcome: Outcome = state.withLock { state in
                if state.isClosed { return .closed }
                if !state.readers.isEmpty { return .handed(state.readers.removeFirst()) }
                if state.chunks.count < capacity {
                    state.chunks.append(chunk)
                    return .taken
                }
                state.writer = signal
                return .full
            }
            switch outcome {
            case .taken: return
            case .closed: throw CancellationError()
            case .handed(let reader):
                reader.resume(returning: chunk)
                return
            case .full: signal.wait()
            }
        }
    }

    /// The next chunk; `nil` when there are no more.
    func next() async -> SpeechChunk? {
        await withCheckedContinuation { reader in
            enum Outcome { case chunk(SpeechChunk?, ThreadSignal?), wait }
            let outcome: Outcome = state.withLock { state in
                if state.isClosed { return .chunk(nil, nil) }
                if !state.chunks.isEmpty {
                    defer { state.writer = nil }
                    return .chunk(state.chunks.removeFirst(), state.writer)
                }
                if state.isFinished { return .chunk(nil, nil) }
                state.readers.append(reader)
                return .wait
            }
            if case .chunk(let chunk, let writer) = outcome {
                writer?.raise()
                reader.resume(returning: chunk)
            }
        }
    }

    /// No more will come.
    func finish() {
        let readers = state.withLock { state in
            state.isFinished = true
            defer { state.readers = [] }
            return state.readers
        }
        for reader in readers { reader.resume(returning: nil) }
    }

    /// Ends both sides at once.
    func close() {
        let (readers, writer) = state.withLock { state in
            state.isClosed = true
            state.chunks = []
            defer {
                state.readers = []
                state.writer = nil
            }
            return (state.readers, state.writer)
        }
        for reader in readers { reader.resume(returning: nil) }
        writer?.raise()
    }
}
