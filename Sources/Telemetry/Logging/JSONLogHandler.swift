public import Logging

/// Writes each record as one line of JSON, for programs that collect logs.
///
/// ```
/// {"time":"2026-11-21T20:01:32.123Z","level":"info","label":"kiln.worker","message":"done","job":"0199…",
///  "kind":"media.probe","attempt":1,"trace_id":"4bf9…","span_id":"00f0…","source":"Worker","metadata":{"bytes":"12"}}
/// ```
/// `job`, `kind`, `attempt`, `trace_id` and `span_id` are metadata that stand at the top, where searches look for them;
/// all other metadata is in `metadata`, nested as it was given. A record of an error has `error` and `error_type`. Text
/// beyond 16 KiB is cut off, with "…" at its end.
///
/// A value, as swift-log has it: changing a copy does not change the original.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput

    /// The metadata that is written beside the message.
    private static let promoted = ["job", "kind", "attempt", "trace_id", "span_id"]

    /// - Parameters:
    ///   - label: the logger's.
    ///   - metadataProvider: asked for each record; by default for the trace that the task is part of.
    public init(
        label: String, level: Logger.Level = .info, output: LogOutput = .standardError,
        metadataProvider: Logger.MetadataProvider? = .traceContext
    ) {
        self.label = label
        self.output = output
        self.metadataProvider = metadataProvider
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = LogFields(logger: metadata, provider: metadataProvider, statement: event.metadata)
        var json = JSONWriter()
        json.object { json in
            json.key("time")
            json.string { RFC3339.append(RFC3339.now, to: &$0) }
            json.key("level")
            json.string(event.level.rawValue)
            json.key("label")
            json.string(label)
            json.key("message")
            json.string(event.message.description.cut(to: longestLogText))
            for name in Self.promoted {
                guard let value = fields.take(name) else { continue }
                json.key(name)
                if name == "attempt", let number = Int(value.description) {
                    json.integer(number)
                } else {
                    json.metadata(value)
                }
            }
            json.key("source")
            json.string(event.source)
            if let error = event.error {
                json.key("error")
                json.string("\(error)".cut(to: longestLogText))
                json.key("error_type")
                json.string(String(reflecting: type(of: error)))
            }
            if !fields.fields.isEmpty {
                json.key("metadata")
                json.object { json in
                    for (name, value) in fields.fields {
                        json.key(name)
                        json.metadata(value)
                    }
                }
            }
        }
        json.newline()
        output.write(json.bytes)
    }
}

extension JSONWriter {
    /// Numbers and truth values stay such; all else is a string, or an object or array of them.
    fileprivate mutating func metadata(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): string(text.cut(to: longestLogText))
        case .stringConvertible(let value):
            switch value {
            case let value as Bool: bool(value)
            case let value as any BinaryInteger: integer(value)
            case let value as Double: double(value)
            default: string(value.description.cut(to: longestLogText))
            }
        case .dictionary(let members):
            object { json in
                for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                    json.key(name)
                    json.metadata(value)
                }
            }
        case .array(let values): array(values) { $0.metadata($1) }
        }
    }
}
