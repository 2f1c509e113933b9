/// A format that a transcript is written in.
public enum TranscriptFormat: String, Codable, Sendable, CaseIterable {
    /// SubRip.
    case srt
    /// WebVTT, with the speakers as voices.
    case vtt
    /// Advanced SubStation Alpha, laid out in a style.
    case ass
    /// The transcript itself: every word with its time.
    case json
    /// Plain text in paragraphs.
    case txt

    /// By a name such as "srt", "webvtt" or "text", in any case; `nil` for others.
    public init?(name: String) {
        switch name.lowercased() {
        case "subrip": self = .srt
        case "webvtt": self = .vtt
        case "ssa": self = .ass
        case "text": self = .txt
        case let name:
            guard let format = TranscriptFormat(rawValue: name) else { return nil }
            self = format
        }
    }

    /// By the ending of a file's name or of a URL's path; `nil` for others.
    public init?(fileName: String) {
        let path = fileName.prefix { $0 != "?" && $0 != "#" }
        guard let dot = path.lastIndex(of: ".") else { return nil }
        self.init(name: String(path[path.index(after: dot)...]))
    }

    /// The ending of files, without a dot.
    public var fileExtension: String { rawValue }

    /// The media type that it is served as.
    public var mediaType: String {
        switch self {
        case .srt: "application/x-subrip"
        case .vtt: "text/vtt"
        case .ass: "text/x-ssa"
        case .json: "application/json"
        case .txt: "text/plain"
        }
    }
}

/// What a format leaves open.
public struct TranscriptWriting: Sendable, Equatable {
    /// Whether WebVTT has a time before each word, so that players can light up what is spoken. Default false.
    public var wordTimes = false
    /// How ASS looks, and the frame it is made for. Default: 1920 × 1080.
    public var style = CaptionStyle()
    /// The frame that ASS is laid out for.
    public var canvas = CaptionCanvas(width: 1920, height: 1080)
    /// A look with words that light up, for ASS; it replaces `style`.
    public var look: CaptionLook?
    /// Seconds of silence that begin a new paragraph of plain text. Default 2.
    public var paragraphPause = 2.0

    /// Everything at its default.
    public init() {}
}
