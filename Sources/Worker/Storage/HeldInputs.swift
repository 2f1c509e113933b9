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
    /// Bytes of all of them at most.
    static let most: Int64 = 64 << 20
    /// Part of a larger input that its sound's ranges may take, gaps between them included: with the whole of it, read
    /// once, and looks at its head, less than 1.15.
    private static let soundShare = 0.1

    private enum Held {
        case bytes([UInt8])
        case open(OpenInput)
    }

    private var inputs: [String: Task<Held, any Error>] = [:]
    private var size: Int64 = 0

    /// Opens an input, from what there is of it.
    ///
    /// - Parameters:
    ///   - location: whole, as two may differ in what names leave out.
    ///   - name: for messages.
    func source(
        _ location: String, name: String,
        _ open: @escaping @Sendable (RangeSourceOptions) async throws -> any ByteSource
    ) async throws -> any ByteSource {
        if let task = inputs[location], case .open(let input)? = try? await task.value, input.isCancelled {
            inputs[location] = nil
        }
        let task =
            inputs[location]
            ?? Task {
                let source = try await open(RangeSourceOptions(plannedShare: Self.soundShare))
                guard source.isSeekable, let length = source.length, length <= Self.largest,
                    size + length <= Self.most
                else { return .open(OpenInput(source)) }
                size += length
                do {
                    return .bytes(try await Bounded.blocking { try source.readAll(limit: Int(length)) })
                } catch {
                    size -= length
                    throw error
                }
            }
        inputs[location] = task
        do {
            switch try await task.value {
            case .bytes(let bytes): return MemorySource(bytes, name: name)
            case .open(let input):
                if let reading = input.take() { return reading }
                return try await open(RangeSourceOptions())
            }
        } catch {
            // Another try may be luckier.
            inputs[location] = nil
            throw error
        }
    }
}

/// A source that one reader after the other uses, and that stays open between them.
private final class OpenInput: Sendable {
    let base: any ByteSource
    private let state = Locked((isCancelled: false, isTaken: false))

    init(_ base: any ByteSource) { self.base = base }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// - Returns: `nil` while another reads, and where it cannot be read once more.
    func take() -> OpenInputReading? {
        let isFree = state.withLock { state in
            defer { state.isTaken = true }
            return !state.isTaken
        }
        guard isFree else { return nil }
        // Whatever the reader before was about.
        (base as? any PlannableByteSource)?.expect(.forward)
        return OpenInputReading(self)
    }

    func giveBack() { if base.isSeekable { state.withLock { $0.isTaken = false } } }

    func cancel() {
        state.withLock { $0.isCancelled = true }
        base.cancel()
    }
}

/// One reader's use of a source. It is over when nobody holds this any more.
private final class OpenInputReading: PlannableByteSource {
    private let input: OpenInput

    init(_ input: OpenInput) { self.input = input }

    deinit { input.giveBack() }

    var name: String { input.base.name }
    var length: Int64? { input.base.length }
    var isSeekable: Bool { input.base.isSeekable }
    var notices: [String] { input.base.notices }
    func expect(_ reads: ExpectedReads) { (input.base as? any PlannableByteSource)?.expect(reads) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try input.base.read(into: buffer, at: offset)
    }
    func cancel() { input.cancel() }
}
