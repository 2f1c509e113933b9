import Telemetry
import Tracing

/// Tells what a job's streams have moved: in metrics, and as the spans `read` and `write`.
struct StreamReport: Sendable {
    let metrics: MediaMetrics

    init(kind: String) { metrics = MediaMetrics(kind: kind) }

    /// Within the span of the work that they were part of, which they fall in the middle of: bytes come and go while the
    /// engine works. How much of that time was spent waiting is an attribute.
    func report(_ meter: StreamMeter) {
        let (read, written) = (meter.read, meter.written)
        metrics.moved(read: read.bytes, written: written.bytes)
        Self.span("read", read)
        Self.span("write", written)
    }

    private static func span(_ name: String, _ reading: StreamMeter.Reading) {
        guard let (first, last) = reading.span else { return }
        // Spans go by the wall clock, measurements by one that never jumps.
        let (now, monotonic) = (DefaultTracerClock.now, ContinuousClock.now)
        func instant(_ past: ContinuousClock.Instant) -> SpanInstant {
            let ago = (monotonic - past) / .nanoseconds(1)
            return SpanInstant(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - UInt64(max(0, ago)))
        }
        let span = startSpan(name, ofKind: .client, at: instant(first))
        span.attributes["kiln.bytes"] = Int(reading.bytes)
        span.attributes["kiln.waited_seconds"] = reading.seconds
        span.end(at: instant(last))
    }

    /// A point in time.
    private struct SpanInstant: TracerInstant {
        var nanosecondsSinceEpoch: UInt64

        static func < (one: SpanInstant, other: SpanInstant) -> Bool {
            one.nanosecondsSinceEpoch < other.nanosecondsSinceEpoch
        }
    }
}
