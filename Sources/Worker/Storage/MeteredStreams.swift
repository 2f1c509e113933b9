import ByteIO
import Locking

/// How long a job's engine has waited for its inputs and outputs, when, and how much came and went. Thread-safe.
final class StreamMeter: Sendable {
    /// In one direction.
    struct Reading: Sendable {
        /// Seconds that were waited, over all streams.
        var seconds = 0.0
        var bytes: Int64 = 0
        /// Of the first call and the end of the last; `nil` without any.
        var span: (first: ContinuousClock.Instant, last: ContinuousClock.Instant)?

        mutating func add(_ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant, bytes: Int) {
            seconds += (end - start) / .seconds(1)
            self.bytes += Int64(bytes)
            span = (span?.first ?? start, end)
        }
    }

    private let reading = Locked(Reading())
    private let writing = Locked(Reading())

    /// Of all inputs.
    var read: Reading { reading.withLock { $0 } }
    /// Of all outputs.
    var written: Reading { writing.withLock { $0 } }

    func reading<R>(bytes: (R) -> Int = { _ in 0 }, _ body: () throws -> R) rethrows -> R {
        try Self.measuring(reading, bytes, body)
    }
    func writing<R>(bytes: (R) -> Int = { _ in 0 }, _ body: () throws -> R) rethrows -> R {
        try Self.measuring(writing, bytes, body)
    }

    private static func measuring<R>(
        _ sum: Locked<Reading>, _ bytes: (R) -> Int, _ body: () throws -> R
    ) rethrows -> R {
        let start = ContinuousClock.now
        var count = 0
        // What is thrown has been waited for, too.
        defer { sum.withLock { [count] in $0.add(start, .now, bytes: count) } }
        let result = try body()
        count = bytes(result)
        return result
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
    var length: Int64? { meter.reading { base.length } }
    var isSeekable: Bool { meter.reading { base.isSeekable } }
    var notices: [String] { base.notices }
    func expect(_ reads: ExpectedReads) { base.expect(reads) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try meter.reading(bytes: { max(0, $0) }, { try base.read(into: buffer, at: offset) })
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
    var rewritableHead: Int64 { meter.writing { base.rewritableHead } }
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try meter.writing(bytes: { bytes.count }, { try base.write(bytes) })
    }
    func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try meter.writing { try base.rewrite(bytes, at: offset) }
    }
    func prepare() throws { try meter.writing { try base.prepare() } }
    func finish() throws { try meter.writing { try base.finish() } }
    func abort() { base.abort() }
    func retract() { base.retract() }
    func cancel() { base.cancel() }
}
