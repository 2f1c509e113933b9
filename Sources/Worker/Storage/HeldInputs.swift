import ByteIO
import MediaKit

/// Small inputs that a job reads more than once, held in memory from the first time on: in a short film the sound lies so
/// close between the pictures that to read it alone is to read all, and looking at a film takes a good part of it.
///
/// What is held is as it was when it was read first, also if the object changes meanwhile.
actor HeldInputs {
    /// Bytes of an input at most; a larger one is read where it lies.
    static let largest: Int64 = 32 << 20
    /// Bytes of all of them at most.
    static let most: Int64 = 64 << 20

    /// `nil` for one that is not held.
    private var inputs: [String: Task<[UInt8]?, any Error>] = [:]
    private var size: Int64 = 0

    /// Opens an input, from memory if it is small.
    ///
    /// - Parameters:
    ///   - location: whole, as two may differ in what names leave out.
    ///   - name: for messages.
    func source(
        _ location: String, name: String, _ open: @escaping @Sendable () async throws -> any ByteSource
    ) async throws -> any ByteSource {
        let task =
            inputs[location]
            ?? Task {
                let source = try await open()
                guard source.isSeekable, let length = source.length, length <= Self.largest,
                    size + length <= Self.most
                else { return nil }
                size += length
                do {
                    return try await Bounded.blocking { try source.readAll(limit: Int(length)) }
                } catch {
                    size -= length
                    throw error
                }
            }
        inputs[location] = task
        do {
            guard let bytes = try await task.value else { return try await open() }
            return MemorySource(bytes, name: name)
        } catch {
            // Another try may be luckier.
            inputs[location] = nil
            throw error
        }
    }
}
