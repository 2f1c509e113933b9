import Foundation
import Locking
import Logging

/// The last lines that an attempt logged, to be kept with its failure.
final class AttemptLog: Sendable {
    static let maxLines = 50
    /// Bytes of one line, and of all together.
    static let maxLine = 1000
    static let maxBytes = 16 << 10

    private struct State {
        var lines: [String] = []
        var bytes = 0
    }
    private let state = Locked(State())

    func add(_ line: String) {
        var line = line
        if line.utf8.count > Self.maxLine {
            line = String(decoding: line.utf8.prefix(Self.maxLine), as: UTF8.self) + "…"
        }
        state.withLock { state in
            state.lines.append(line)
            state.bytes += line.utf8.count
            while state.lines.count > Self.maxLines || state.bytes > Self.maxBytes {
                state.bytes -= state.lines.removeFirst().utf8.count
            }
        }
    }

    var lines: [String] { state.withLock { $0.lines } }
}

/// Passes on to another handler, and keeps the lines. Also those below the other's level, from `info` up.
struct AttemptLogHandler: LogHandler {
    var base: any LogHandler
    let log: AttemptLog

    var logLevel: Logger.Level {
        get { min(base.logLevel, .info) }
        set { base.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        let time = Date().formatted(.iso8601.dateTimeSeparator(.space).time(includingFractionalSeconds: true))
        var line = "\(time) \(event.level): \(event.message)"
        for (key, value) in event.metadata ?? [:] { line += " \(key)=\(value)" }
        log.add(line)
        if event.level >= base.logLevel { base.log(event: event) }
    }
}
