/// Something in a subtitle file that was skipped or mended, and why.
public struct SubtitleWarning: Sendable, Equatable, CustomStringConvertible {
    /// The line of the file, from 1; `nil` where it concerns the whole.
    public var line: Int?
    /// One sentence, without the line.
    public var message: String

    /// Lines count from 1; `nil` is for what concerns the whole.
    public init(line: Int?, _ message: String) {
        self.line = line
        self.message = message
    }

    public var description: String { line.map { "line \($0): \(message)" } ?? message }
}

/// Collects warnings, but not without end.
struct SubtitleWarnings {
    private(set) var all: [SubtitleWarning] = []
    private var left = 0

    static let limit = 200

    mutating func add(_ line: Int?, _ message: String) {
        if all.count < SubtitleWarnings.limit { all.append(SubtitleWarning(line: line, message)) } else { left += 1 }
    }

    /// All of them, with a last one that counts those beyond the limit.
    func finished() -> [SubtitleWarning] {
        left == 0 ? all : all + [SubtitleWarning(line: nil, "\(left) more problems like these")]
    }
}
