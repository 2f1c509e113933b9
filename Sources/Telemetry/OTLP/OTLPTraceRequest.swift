import Tracing

/// The body of `POST /v1/traces`: an `ExportTraceServiceRequest` as protobuf's JSON, but with ids in hexadecimal.
/// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
enum OTLPTraceRequest {
    static func body(_ spans: [SpanData], resource: SpanAttributes) -> [UInt8] {
        var json = JSONWriter(capacity: 512 * (1 + spans.count))
        json.object { json in
            json.key("resourceSpans")
            json.array { json in
                json.object { json in
                    json.key("resource")
                    json.object { $0.attributes(resource) }
                    json.key("scopeSpans")
                    json.array { json in
                        json.object { json in
                            json.key("scope")
                            json.object { json in
                                json.key("name")
                                json.string("kiln")
                            }
                            json.key("spans")
                            json.array(spans) { $0.span($1) }
                        }
                    }
                }
            }
        }
        return json.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func span(_ span: SpanData) {
        object { json in
            json.identity(span.context)
            if let parent = span.parent {
                json.key("parentSpanId")
                json.string { parent.spanID.append(to: &$0) }
            }
            json.flags(span.context, isRemote: span.parent?.isRemote ?? false)
            json.key("name")
            json.string(span.name)
            json.key("kind")
            json.integer(span.kind.number)
            json.key("startTimeUnixNano")
            json.quoted(span.start)
            json.key("endTimeUnixNano")
            json.quoted(span.end)
            json.attributes(span.attributes)
            json.count("droppedAttributesCount", span.droppedAttributes)
            if !span.events.isEmpty {
                json.key("events")
                json.array(span.events) { $0.event($1) }
            }
            json.count("droppedEventsCount", span.droppedEvents)
            // A link to a context without a span leads nowhere.
            let links = span.links.compactMap { link in link.context.spanContext.map { ($0, link.attributes) } }
            if !links.isEmpty {
                json.key("links")
                json.array(links) { json, link in
                    json.object { json in
                        json.identity(link.0)
                        json.flags(link.0, isRemote: link.0.isRemote)
                        json.attributes(link.1)
                    }
                }
            }
            json.count("droppedLinksCount", span.droppedLinks)
            json.key("status")
            json.object { json in
                guard let status = span.status else { return }
                json.key("code")
                json.integer(status.code == .ok ? 1 : 2)
                // "Description MUST be IGNORED for StatusCode Ok & Unset values."
                guard status.code == .error, let message = status.message else { return }
                json.key("message")
                json.string(message)
            }
        }
    }

    private mutating func identity(_ context: SpanContext) {
        key("traceId")
        string { context.traceID.append(to: &$0) }
        key("spanId")
        string { context.spanID.append(to: &$0) }
        guard let state = context.tracestate else { return }
        key("traceState")
        string(state)
    }

    /// The W3C's flags, and in bits 8 and 9 whether it is known, and so, that the other side is another process.
    private mutating func flags(_ context: SpanContext, isRemote: Bool) {
        key("flags")
        integer((context.isSampled ? 1 : 0) | 0x100 | (isRemote ? 0x200 : 0))
    }

    private mutating func event(_ event: SpanEvent) {
        object { json in
            json.key("timeUnixNano")
            json.quoted(event.nanosecondsSinceEpoch)
            json.key("name")
            json.string(event.name)
            json.attributes(event.attributes)
        }
    }

    private mutating func count(_ name: String, _ count: Int) {
        guard count > 0 else { return }
        key(name)
        integer(count)
    }

    fileprivate mutating func attributes(_ attributes: SpanAttributes) {
        guard !attributes.isEmpty else { return }
        key("attributes")
        array(attributes.sorted) { json, attribute in
            json.object { json in
                json.key("key")
                json.string(attribute.name)
                json.key("value")
                json.value(attribute.value)
            }
        }
    }

    /// An `AnyValue`.
    private mutating func value(_ value: SpanAttribute) {
        switch value {
        case .string(let value): variant("stringValue") { $0.string(value) }
        case .stringConvertible(let value): variant("stringValue") { $0.string(value.description) }
        case .int32(let value): variant("intValue") { $0.quoted(value) }
        case .int64(let value): variant("intValue") { $0.quoted(value) }
        case .double(let value): variant("doubleValue") { $0.double(value) }
        case .bool(let value): variant("boolValue") { $0.bool(value) }
        case .stringArray(let values): list(values.map { .string($0) })
        case .stringConvertibleArray(let values): list(values.map { .string($0.description) })
        case .int32Array(let values): list(values.map { .int32($0) })
        case .int64Array(let values): list(values.map { .int64($0) })
        case .doubleArray(let values): list(values.map { .double($0) })
        case .boolArray(let values): list(values.map { .bool($0) })
        // What later versions may add.
        default: variant("stringValue") { $0.string("\(value)") }
        }
    }

    private mutating func variant(_ name: String, _ body: (inout JSONWriter) -> Void) {
        object { json in
            json.key(name)
            body(&json)
        }
    }

    private mutating func list(_ values: [SpanAttribute]) {
        variant("arrayValue") { json in
            json.object { json in
                json.key("values")
                json.array(values) { $0.value($1) }
            }
        }
    }
}

extension SpanKind {
    fileprivate var number: Int {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}
