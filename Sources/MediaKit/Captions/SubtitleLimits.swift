/// How much of a subtitle file is taken; beyond lies a `resourceLimit` error.
public struct SubtitleLimits: Sendable, Equatable {
    /// The size of the file in bytes.
    public var bytes = 16 << 20
    /// Lines of the file. Default 2,000,000.
    public var lines = 2_000_000
    /// Cues, or events of an ASS script. Default 100,000.
    public var cues = 100_000
    /// The text of one cue with its markup, in bytes of UTF-8.
    public var cueBytes = 64 << 10

    /// Every limit at its default.
    public init() {}

    func exceeded(_ what: String, _ line: Int? = nil, name: String) -> MediaError {
        MediaError(
            .resourceLimit, (line.map { "line \($0): " } ?? "") + what,
            hint: "is this really a subtitle file? Split it, or raise the limit", input: name)
    }
}
