import ByteIO
import Locking
import MediaKit
import Transfer

/// Inputs that a job reads more than once, of which the store is to send as little as possible twice.
///
/// A small one is held in memory from the first time on: in a short film the sound lies so close between the pictures that
/// to read it alone is to read all, and looking at a film takes a good part of it. A larger one stays open, with the
/// blocks that were read lately: what was looked at first is not fetched again to be looked at once more.
///
/// An input is as it was when it was opened first: what is held does not change with the object, and of one that stays
/// open, another version is an error.
actor HeldInputs {
    /// Bytes of an input that is held at most.
    static let largest: Int64 = 32 << 20
    /// Part of a larger input that its sound's ranges may take, gaps between them included: with the whole of it, read
    /// once, and looks at its head, less than 1.15.
    private static let soundShare = 0.1

    private enum Held {
        case bytes([UInt8])
        case open(OpenInput)
    }

    private var inputs: [String: Task<Held, any Error>] = [:]

    /// Opens an input, from what there is of it.
    func source(
        _ name: String, _ open: @escaping @Sendable (RangeSourceOptions) async throws -> any ByteSource
    ) async throws -> any ByteSource {
        if let task = inputs[name], case .open(let input)? = try? await task.value, input.isCancelled {
            inputs[name] = nil
        }
        let task =
            inputs[name]
            ?? Task {
                let source = try await open(RangeSourceOptions(plannedShare: Self.soundShare))
                guard source.isSeekable, let length = source.length, length <= Self.largest else {
                    return .open(OpenInput(source))
                }
                return .bytes(try await Bounded.blocking { try source.readAll(limit: Int(length)) })
            }
        inputs[name] = task
        do {
            switch try await task.value {
            case .bytes(let bytes): return MemorySource(bytes, name: name)
            // What cannot be sought in is read from its start each time.
            case .open(let input) where !input.isSeekable && !input.take():
                return try await open(RangeSourceOptions())
            case .open(let input):
                // Whatever the reader before was about.
                input.expect(.forward)
                return input
            }
        } catch {
            // Another try may be luckier.
            inputs[name] = nil
            throw error
        }
    }
}

/// A source that is used by one reader after the other, and stays open between them.
private final class OpenInput: PlannableByteSource {
    private let base: any ByteSource
    private let state = Locked((isCancelled: false, isTaken: false))

    init(_ base: any ByteSource) { self.base = base }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// - Returns: whether nobody had it before.
    func take() -> Bool {
        state.withLock { state in
            defer { state.isTaken = true }
            return !state.isTaken
        }
    }

    var name: String { base.name }
    var length: Int64? { base.length }
    var isSeekable: Bool { base.isSeekable }
    var notices: [String] { base.notices }
    func expect(_ reads: ExpectedReads) { (base as? any PlannableByteSource)?.expect(reads) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try base.read(into: buffer, at: offset)
    }
    func cancel() {
        state.withLock { $0.isCancelled = true }
        base.cancel()
    }
}
