import ByteIO
import MediaKit
import Transfer

/// A source that is being opened: whoever needs it waits, and whoever cancels it ends the opening, too.
///
/// What fails is an error of MediaKit's, with the one of the store behind it.
final class DeferredSource: PlannableByteSource {
    let name: String
    private let opening: Opening<any ByteSource>

    init(name: String, _ open: @escaping @Sendable () async throws -> any ByteSource) {
        self.name = name
        opening = Opening(open) { $0.cancel() }
    }

    /// `nil` also where it cannot be opened, which the first read tells.
    var length: Int64? { (try? opening.value())?.length }
    var isSeekable: Bool { (try? opening.value())?.isSeekable ?? false }
    var notices: [String] { (try? opening.value())?.notices ?? [] }

    func expect(_ reads: ExpectedReads) {
        (try? opening.value() as? any PlannableByteSource)?.expect(reads)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        do { return try opening.value().read(into: buffer, at: offset) } catch {
            throw MediaError(store: error, input: name)
        }
    }

    func cancel() { opening.cancel() }
}
