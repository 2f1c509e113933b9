import ByteIO
import Synchronization

/// How long a job's engine has waited for its inputs and outputs. Thread-safe.
final class StreamMeter: Sendable {
    private let reading = Atomic<Int64>(0)
    private let writing = Atomic<Int64>(0)

    /// Seconds, over all inputs.
    var readSeconds: Double { Double(reading.load(ordering: .relaxed)) / 1e9 }
    /// Seconds, over all outputs.
    var writeSeconds: Double { Double(writing.load(ordering: .relaxed)) / 1e9 }

    func read<R>(_ body: () throws -> R) rethrows -> R { try measuring(reading, body) }
    func write<R>(_ body: () throws -> R) rethrows -> R { try measuring(writing, body) }

    private func measuring<R>(_ sum: borrowing Atomic<Int64>, _ body: () throws -> R) rethrows -> R {
        let start = ContinuousClock.now
        defer { sum.wrappingAdd(Int64((ContinuousClock.now - start) / .nanoseconds(1)), ordering: .relaxed) }
        return try body()
    }
}

/// A source whose reads are timed.
final class MeteredSource: PlannableByteSource {
    private let base: any PlannableByteSource
    private let meter: StreamMeter

    init(_ base: any PlannableByteSource, _ meter: StreamMeter) {
        self.base = base
        self.meter = meter
    }

    var name: String { base.name }
    // The first of these waits until it is open.
    var length: Int64? { meter.read { base.length } }
    var isSeekable: Bool { meter.read { base.isSeekable } }
    var notices: [String] { base.notices }
    func expect(_ reads: ExpectedReads) { base.expect(reads) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try meter.read { try base.read(into: buffer, at: offset) }
    }
    func cancel() { base.cancel() }
}

/// A sink whose writes are timed.
final class MeteredSink: ByteSink {
    private let base: any ByteSink
    private let meter: StreamMeter

    init(_ base: any ByteSink, _ meter: StreamMeter) {
        self.base = base
        self.meter = meter
    }

    var name: String { base.name }
    var rewritableHead: Int64 { meter.write { base.rewritableHead } }
    func write(_ bytes: UnsafeRawBufferPointer) throws { try meter.write { try base.write(bytes) } }
    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try meter.write { try base.rewrite(bytes, at: offset) }
    }
    func prepare() throws { try meter.write { try base.prepare() } }
    func finish() throws { try meter.write { try base.finish() } }
    func abort() { base.abort() }
    func retract() { base.retract() }
    func cancel() { base.cancel() }
}
