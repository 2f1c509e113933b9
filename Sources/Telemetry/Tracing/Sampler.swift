/// Which traces are recorded.
///
/// The six samplers that OpenTelemetry names are these two settings.
/// https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers
public struct Sampler: Sendable, Hashable {
    /// The part of the traces that begin here which is recorded: 0 for none, 1 for all.
    public var ratio: Double
    /// Whether a span that has a parent does as that does, so that a trace is recorded as a whole or not at all.
    public var followsParent: Bool

    /// - Parameter ratio: below 0 (or not a number) is taken as 0, above 1 as 1. Default 1.
    public init(ratio: Double = 1, followsParent: Bool = true) {
        self.ratio = ratio.isNaN ? 0 : min(1, max(0, ratio))
        self.followsParent = followsParent
    }

    /// As `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name it: `always_on`, `always_off`, `traceidratio`, or
    /// one of these with `parentbased_` before it. `nil` for other names, or a ratio that is no number of 0 to 1.
    ///
    /// - Parameter argument: the ratio, where the name asks for one. Default 1.
    public init?(name: String, argument: String? = nil) {
        let prefix = "parentbased_"
        let followsParent = name.hasPrefix(prefix)
        switch followsParent ? String(name.dropFirst(prefix.count)) : name {
        case "always_on": self.init(ratio: 1, followsParent: followsParent)
        case "always_off": self.init(ratio: 0, followsParent: followsParent)
        case "traceidratio":
            guard let ratio = argument.map({ Double($0) }) ?? 1, (0...1).contains(ratio) else { return nil }
            self.init(ratio: ratio, followsParent: followsParent)
        default: return nil
        }
    }

    /// Whether a new span is recorded.
    ///
    /// Decided by the trace's id, so that all processes with the same ratio come to the same answer.
    func isSampled(_ traceID: TraceID, parent: SpanContext?) -> Bool {
        if followsParent, let parent { return parent.isSampled }
        // 63 bits, as in OpenTelemetry's own libraries.
        return ratio >= 1 || Double(traceID.low >> 1) < ratio * 0x1p63
    }
}
