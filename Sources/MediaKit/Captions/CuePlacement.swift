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
    /// Text in columns, which follow each other from right to left or from left to right. It is drawn in lines here.
    public enum Vertical: String, Sendable { case rightToLeft = "rl", leftToRight = "lr" }

    /// How high the cue stands.
    public enum Line: Sendable, Equatable {
        /// A line of text: 0 is the topmost, -1 the lowest.
        case number(Double)
        /// A percentage of the frame's height, 0 to 100.
        case percentage(Double)
    }
    /// Which part of a cue's box lies at `line`: its top, its middle or its bottom.
    public enum LineAlignment: String, Sendable { case start, center, end }
    /// Which part of a cue's box lies at `position`.
    public enum PositionAlignment: String, Sendable {
        /// Its left edge.
        case lineLeft = "line-left"
        /// Its middle.
        case center
        /// Its right edge.
        case lineRight = "line-right"
    }
    /// How the text stands in its box; start and end follow the direction of the script.
    public enum TextAlignment: String, Sendable { case start, center, end, left, right }

    /// `nil` for text in lines. The other settings have no effect on text in columns, which is drawn in the style's
    /// place.
    public var vertical: Vertical?
    /// `nil` leaves the height to the style.
    public var line: Line?
    /// Only counts for a `line` in percent. Default: start.
    public var lineAlignment: LineAlignment
    /// A percentage of the frame's width, 0 to 100.
    public var position: Double?
    /// `nil` follows `align`.
    public var positionAlignment: PositionAlignment?
    /// The width of the cue's box, as a percentage of the frame's width.
    public var size: Double?
    /// `nil` leaves it to the style, or centres the text if `position` or `size` is given.
    public var align: TextAlignment?

    /// Settings that are not given are "auto".
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
