import Locking
import Telemetry
import Tracing

/// Keeps the spans that have ended.
final class SpanLog: SpanProcessor {
    private let ended = Locked<[SpanData]>([])

    var spans: [SpanData] { ended.withLock { $0 } }

    func spanEnded(_ span: SpanData) { ended.withLock { $0.append(span) } }
    func flush() {}

    subscript(_ name: String) -> SpanData? { spans.first { $0.name == name } }
}

/// A carrier as headers are one.
struct DictionaryCarrier: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

/// A moment, in nanoseconds since 1970.
func moment(_ nanoseconds: UInt64) -> DefaultTracerClock.Timestamp {
    DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: nanoseconds)
}
