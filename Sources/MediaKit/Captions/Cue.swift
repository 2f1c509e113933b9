/// One caption: a text shown from `start` to `end`.
///
/// Times are milliseconds of the film, as the subtitle formats count them. The text is never markup: what looks like
/// a tag in `spans` is shown as it is.
public struct Cue: Sendable, Equatable {
    /// When it appears, in milliseconds.
    public var start: Int64
    /// When it disappears, in milliseconds; later than `start`.
    public var end: Int64
    /// The text in reading order. A line break is a `\n` inside a span's text.
    public var spans: [CueSpan]
    /// Where the cue itself asks to stand; `nil` leaves it to the style.
    public var placement: CuePlacement?
    /// The line of the source (from 1) that holds its times; 0 where it comes from no text file.
    public var line: Int

    /// Times are milliseconds, `end` the later one; the style places the cue unless `placement` is given.
    public init(start: Int64, end: Int64, spans: [CueSpan], placement: CuePlacement? = nil, line: Int = 0) {
        self.start = start
        self.end = end
        self.spans = spans
        self.placement = placement
        self.line = line
    }

    /// A cue in one style.
    public init(start: Int64, end: Int64, text: String, placement: CuePlacement? = nil, line: Int = 0) {
        self.init(start: start, end: end, spans: [CueSpan(text)], placement: placement, line: line)
    }

    /// The text without its styling.
    public var text: String { spans.reduce(into: "") { $0 += $1.text } }
}

/// A stretch of a cue's text in one style.
public struct CueSpan: Sendable, Equatable {
    /// Plain text, never markup; a line break is `\n`.
    public var text: String
    /// Default false; a bold style makes every span bold.
    public var bold: Bool
    /// Default false; an italic style makes every span italic.
    public var italic: Bool
    /// Whether a line goes below the letters. Default false.
    public var underline: Bool
    /// Whether a line goes through the letters. Default false.
    public var strikeout: Bool
    /// The colour the source asks for, or `nil` for the style's own.
    public var color: CaptionColor?
    /// The colour of a box behind just this stretch, or `nil` for none.
    public var background: CaptionColor?
    /// Who speaks (WebVTT's `<v Name>`).
    public var voice: String?
    /// WebVTT's class names (`<c.yellow.loud>`), outermost first.
    public var classes: [String]

    /// Plain text in the style's own look, unless members say otherwise.
    public init(
        _ text: String, bold: Bool = false, italic: Bool = false, underline: Bool = false, strikeout: Bool = false,
        color: CaptionColor? = nil, background: CaptionColor? = nil, voice: String? = nil, classes: [String] = []
    ) {
        self.text = text
        self.bold = bold
        self.italic = italic
        self.underline = underline
        self.strikeout = strikeout
        self.color = color
        self.background = background
        self.voice = voice
        self.classes = classes
    }

    /// The same style around another text.
    func with(text: String) -> CueSpan {
        var copy = self
        copy.text = text
        return copy
    }

    /// Whether two spans could be one.
    func hasSameStyle(as other: CueSpan) -> Bool { with(text: "") == other.with(text: "") }
}
