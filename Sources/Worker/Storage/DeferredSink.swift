import ByteIO
import MediaKit
import Transfer

/// A sink that is being opened: whoever needs it waits, and whoever cancels it ends the opening, too.
///
/// What fails is an error of MediaKit's, with the one of the store behind it.
final class DeferredSink: ByteSink {
    let name: String
    private let opening: Opening<any ByteSink>

    init(name: String, _ open: @escaping @Sendable () async throws -> any ByteSink) {
        self.name = name
        opening = Opening(open) { $0.cancel() }
    }

    /// 0 also where it cannot be opened, which the first write tells.
    var rewritableHead: Int64 { (try? opening.value())?.rewritableHead ?? 0 }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try naming { try $0.write(bytes) } }

    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try naming { try $0.rewrite(bytes, at: offset) }
    }

    func prepare() throws { try naming { try $0.prepare() } }
    func finish() throws { try naming { try $0.finish() } }

    func abort() {
        // What is still being opened has nothing in it yet.
        opening.cancelUnlessOpen()
        (try? opening.value())?.abort()
    }

    func retract() { (try? opening.value())?.retract() }
    func cancel() { opening.cancel() }

    private func naming(_ body: (any ByteSink) throws -> Void) throws {
        do { try body(try opening.value()) } catch { throw MediaError(store: error, output: name) }
    }
}
