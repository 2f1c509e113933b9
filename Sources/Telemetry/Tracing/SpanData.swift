public import Tracing

/// A span that has ended, as it goes to a ``SpanProcessor``.
public struct SpanData: Sendable {
    public internal(set) var name: String
    public let context: SpanContext
    /// `nil` for the first of its trace.
    public let parent: SpanContext?
    public let kind: SpanKind
    /// Nanoseconds since 1970.
    public let start: UInt64
    /// Nanoseconds since 1970; not before `start`, even if the clock was set back.
    public internal(set) var end: UInt64
    public internal(set) var attributes: SpanAttributes = [:]
    public internal(set) var droppedAttributes = 0
    public internal(set) var events: [SpanEvent] = []
    public internal(set) var droppedEvents = 0
    public internal(set) var links: [SpanLink] = []
    public internal(set) var droppedLinks = 0
    /// `nil` while nobody has said.
    public internal(set) var status: SpanStatus?

    init(name: String, context: SpanContext, parent: SpanContext?, kind: SpanKind, start: UInt64) {
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.start = start
        end = start
    }
}

extension SpanData {
    mutating func add(_ event: SpanEvent, _ limits: SpanLimits) {
        if events.count < limits.events { events.append(event) } else { droppedEvents += 1 }
    }

    mutating func add(_ link: SpanLink, _ limits: SpanLimits) {
        if links.count < limits.links { links.append(link) } else { droppedLinks += 1 }
    }

    /// Beyond the limit, attributes that are there stay, and of new ones the first by name are taken.
    mutating func set(_ new: SpanAttributes, _ limits: SpanLimits) {
        guard new.count > limits.attributes else {
            attributes = new
            return
        }
        var pairs: [(String, SpanAttribute)] = []
        new.forEach { pairs.append(($0, $1)) }
        pairs.sort { left, right in
            let isOld = (attributes.get(left.0) != nil, attributes.get(right.0) != nil)
            return isOld.0 == isOld.1 ? left.0 < right.0 : isOld.0
        }
        droppedAttributes += pairs.count - limits.attributes
        attributes = SpanAttributes(
            Dictionary(pairs.prefix(limits.attributes), uniquingKeysWith: { first, _ in first }))
    }

    /// `ok` is the last word; an error without words does not take away those of an error before it.
    /// https://opentelemetry.io/docs/specs/otel/trace/api/#set-status
    mutating func set(_ new: SpanStatus) {
        if status?.code == .ok { return }
        if new.code == .error, new.message == nil, status?.message != nil { return }
        status = new
    }

    /// Ends it, and cuts off what is too long.
    mutating func finish(at moment: UInt64, _ limits: SpanLimits) {
        end = max(start, moment)
        attributes = attributes.bounded(limits)
        for index in events.indices { events[index].attributes = events[index].attributes.bounded(limits) }
        links = links.map { SpanLink(context: $0.context, attributes: $0.attributes.bounded(limits)) }
    }
}

extension SpanAttributes {
    /// In the order of their names.
    var sorted: [(name: String, value: SpanAttribute)] {
        var pairs: [(name: String, value: SpanAttribute)] = []
        pairs.reserveCapacity(count)
        forEach { pairs.append(($0, $1)) }
        return pairs.sorted { $0.name < $1.name }
    }

    /// At most so many, with texts at most so long.
    fileprivate func bounded(_ limits: SpanLimits) -> SpanAttributes {
        var bounded: SpanAttributes = [:]
        for (name, value) in sorted.prefix(limits.attributes) {
            let kept: SpanAttribute =
                switch value {
                case .string(let text): .string(text.cut(to: limits.attributeLength))
                case .stringConvertible(let value): .string(value.description.cut(to: limits.attributeLength))
                case .stringArray(let texts): .stringArray(texts.map { $0.cut(to: limits.attributeLength) })
                case .stringConvertibleArray(let values):
                    .stringArray(values.map { $0.description.cut(to: limits.attributeLength) })
                default: value
                }
            bounded.set(name, value: kept)
        }
        return bounded
    }
}
