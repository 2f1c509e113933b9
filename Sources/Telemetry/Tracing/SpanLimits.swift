/// How much a span holds; what is beyond is left out and counted. OpenTelemetry's defaults, but for the length.
/// https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
public struct SpanLimits: Sendable, Hashable {
    /// Attributes of a span, of an event or of a link. Default 128.
    public var attributes: Int
    /// Default 128.
    public var events: Int
    /// Default 128.
    public var links: Int
    /// The longest text of an attribute, in bytes of UTF-8; cut off beyond. Default 4096.
    public var attributeLength: Int

    /// Numbers below 0 are taken as 0.
    public init(attributes: Int = 128, events: Int = 128, links: Int = 128, attributeLength: Int = 4096) {
        self.attributes = max(0, attributes)
        self.events = max(0, events)
        self.links = max(0, links)
        self.attributeLength = max(0, attributeLength)
    }
}
