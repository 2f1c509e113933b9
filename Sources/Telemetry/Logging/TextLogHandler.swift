public import Logging

/// Writes each record as one line for people.
///
/// ```
/// 2026-11-21T20:01:32.123Z INFO  kiln.worker: done  attempt=1 job=0199… note="a b"
/// ```
/// Line breaks and other control characters are shown as escapes, so that no message can look like two, or reach a
/// terminal as a command. The level has a colour where the output shows any.
///
/// A value, as swift-log has it: changing a copy does not change the original.
public struct TextLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput

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
        var line = LogLine()
        RFC3339.append(RFC3339.now, to: &line.bytes)
        line.plain(" ")
        if output.showsColours { line.plain(Self.colour(event.level)) }
        line.plain(Self.name(event.level))
        if output.showsColours { line.plain("\u{1B}[0m") }
        line.plain(" ")
        line.escaped(label)
        line.plain(": ")
        line.escaped(event.message.description.cut(to: longestLogText))
        var separator = "  "
        func field(_ name: String, _ value: Logger.MetadataValue) {
            line.plain(separator)
            line.escaped(name)
            line.plain("=")
            line.metadata(value)
            separator = " "
        }
        let fields = LogFields(logger: metadata, provider: metadataProvider, statement: event.metadata)
        for (name, value) in fields.fields { field(name, value) }
        if let error = event.error { field("error", "\(error)") }
        line.plain("\n")
        output.write(line.bytes)
    }

    /// Of one width, so that what follows stands in one column.
    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO "
        case .notice: "NOTE "
        case .warning: "WARN "
        case .error: "ERROR"
        case .critical: "FATAL"
        }
    }

    /// Grey, blue, green, cyan, yellow, red, and white on red. ECMA-48, §8.3.117.
    private static func colour(_ level: Logger.Level) -> String {
        switch level {
        case .trace: "\u{1B}[90m"
        case .debug: "\u{1B}[34m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error: "\u{1B}[31m"
        case .critical: "\u{1B}[97;41m"
        }
    }
}

/// A line of text that is being put together.
private struct LogLine {
    var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(256) }

    mutating func plain(_ text: String) { bytes += text.utf8 }

    /// Without control characters and line breaks of any kind.
    mutating func escaped(_ text: String) { append(text, isQuoted: false) }

    /// In quotes where a value could be taken for more than one.
    private mutating func quoted(_ text: String) {
        guard text.isEmpty || text.utf8.contains(where: { " =\",[]{}".utf8.contains($0) }) else { return escaped(text) }
        plain("\"")
        append(text, isQuoted: true)
        plain("\"")
    }

    private mutating func append(_ text: String, isQuoted: Bool) {
        if !isQuoted, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return plain(text) }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"" where isQuoted: plain("\\\"")
            case "\\" where isQuoted: plain("\\\\")
            case "\n": plain("\\n")
            case "\r": plain("\\r")
            case "\t": plain("\\t")
            case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                plain("\\u{")
                plain(String(scalar.value, radix: 16))
                plain("}")
            default: plain(String(scalar))
            }
        }
    }

    mutating func metadata(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): quoted(text.cut(to: longestLogText))
        case .stringConvertible(let value): quoted(value.description.cut(to: longestLogText))
        case .dictionary(let members):
            plain("{")
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { plain(", ") }
                quoted(member.key)
                plain("=")
                metadata(member.value)
            }
            plain("}")
        case .array(let values):
            plain("[")
            for (index, value) in values.enumerated() {
                if index > 0 { plain(", ") }
                metadata(value)
            }
            plain("]")
        }
    }
}
