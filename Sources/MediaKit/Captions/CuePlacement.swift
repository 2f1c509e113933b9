/// Where a cue asks to stand.
public enum CuePlacement: Sendable, Equatable {
    /// One of the nine anchors of the frame (`{\an8}` in SubRip and ASS).
    case anchor(CaptionAnchor)
    /// The anchor of the text laid on a point of the frame; x and y are fractions of its width and height
    /// (`{\pos(x,y)}`).
    case point(x: Double, y: Double, anchor: CaptionAnchor)
    /// WebVTT's cue settings.
    case webVTT(WebVTTSettings)
}

/// The settings after the times of a WebVTT cue. `nil` is "auto".
///
/// See <https://www.w3.org/TR/webvtt1/#webvtt-cue-settings>.
public struct WebVTTSettings: Sendable, Equatable {
    public enum Vertical: String, Sendable { case rightToLeft = "rl", leftToRight = "lr" }

    /// How high the cue stands.
    public enum Line: Sendable, Equatable {
        /// A line of text: 0 is the topmost, -1 the lowest.
        case number(Double)
        /// A percentage of the frame's height, 0 to 100.
        case percentage(Double)
    }
    public enum LineAlignment: String, Sendable { case start, center, end }
    public enum PositionAlignment: String, Sendable {
        case lineLeft = "line-left"
        case center
        case lineRight = "line-right"
    }
    /// How the text stands in its box; start and end follow the direction of the script.
    public enum TextAlignment: String, Sendable { case start, center, end, left, right }

    public var vertical: Vertical?
    public var line: Line?
    public var lineAlignment: LineAlignment
    /// A percentage of the frame's width, 0 to 100.
    public var position: Double?
    public var positionAlignment: PositionAlignment?
    /// The width of the cue's box, as a percentage of the frame's width.
    public var size: Double?
    public var align: TextAlignment?

    public init(
        vertical: Vertical? = nil, line: Line? = nil, lineAlignment: LineAlignment = .start,
        position: Double? = nil, positionAlignment: PositionAlignment? = nil, size: Double? = nil,
        align: TextAlignment? = nil
    ) {
        self.vertical = vertical
        self.line = line
        self.lineAlignment = lineAlignment
        self.position = position
        self.positionAlignment = positionAlignment
        self.size = size
        self.align = align
    }
}
