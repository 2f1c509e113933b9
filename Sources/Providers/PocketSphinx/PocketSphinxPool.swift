import Locking
import Transfer

/// Decoders that wait for the next recording: loading the models takes a moment, and a hundred megabytes each.
///
/// Thread-safe.
final class PocketSphinxPool: Sendable {
    /// One for the process.
    static let shared = PocketSphinxPool()

    /// Decoders that are kept while nobody needs them. There are as many besides as recordings are recognised.
    private static let kept = 2
    private let idle = Locked<[PocketSphinxDecoder]>([])

    func take(_ model: PocketSphinxModel) async throws -> PocketSphinxDecoder {
        let waiting = idle.withLock { idle -> PocketSphinxDecoder? in
            guard let index = idle.firstIndex(where: { $0.model == model }) else { return nil }
            return idle.remove(at: index)
        }
        if let waiting { return waiting }
        return try await OwnThread.run { try PocketSphinxDecoder(model) }
    }

    func give(_ decoder: PocketSphinxDecoder) {
        decoder.reset()
        idle.withLock { idle in
            idle.append(decoder)
            if idle.count > Self.kept { idle.removeFirst() }
        }
    }
}
