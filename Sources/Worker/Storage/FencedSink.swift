import ByteIO
import Transfer

/// A sink that asks, right before it makes anything visible or takes it back, whether it still may: for outputs that have no
/// ledger.
final class FencedSink: ByteSink {
    private let base: any ByteSink
    private let authorize: @Sendable () async throws -> Void

    /// - Parameter authorize: throws if the output may not appear.
    init(_ base: any ByteSink, authorize: @escaping @Sendable () async throws -> Void) {
        self.base = base
        self.authorize = authorize
    }

    var name: String { base.name }
    var rewritableHead: Int64 { base.rewritableHead }
    func write(_ bytes: UnsafeRawBufferPointer) throws { try base.write(bytes) }
    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try base.rewrite(bytes, at: offset) }
    func prepare() throws { try base.prepare() }
    func finish() throws {
        // On the engine's thread, which may wait.
        try BlockingCall(authorize).wait()
        try base.finish()
    }
    func abort() { base.abort() }
    /// What is there may be the next attempt's, unless this one still counts.
    func retract() {
        guard (try? BlockingCall(authorize).wait()) != nil else { return }
        base.retract()
    }
    func cancel() { base.cancel() }
}
