public import Logging

/// How log records are written.
///
/// ```swift
/// LoggingSystem.bootstrap { LogFormat.json.handler(label: $0, level: .info) }
/// ```
public enum LogFormat: String, Sendable, Hashable, CaseIterable {
    /// For programs: ``JSONLogHandler``.
    case json
    /// For people: ``TextLogHandler``.
    case text

    /// A handler of that format.
    ///
    /// - Parameters:
    ///   - label: the logger's.
    ///   - level: the lowest level that is written.
    ///   - metadataProvider: asked for each record; by default for the trace that the task is part of.
    public func handler(
        label: String, level: Logger.Level = .info, output: LogOutput = .standardError,
        metadataProvider: Logger.MetadataProvider? = .traceContext
    ) -> any LogHandler {
        switch self {
        case .json: JSONLogHandler(label: label, level: level, output: output, metadataProvider: metadataProvider)
        case .text: TextLogHandler(label: label, level: level, output: output, metadataProvider: metadataProvider)
        }
    }
}
