/// How captions look, wherever the cues themselves say nothing.
///
/// Every field has a default, so `{}` is a style. Sizes are fractions, so that one style looks alike on every frame;
/// see ``fontSize``. As JSON the keys are the names below; an unknown key is refused.
public struct CaptionStyle: Sendable, Equatable, Encodable {
    /// A family as fontconfig knows it.
    public var fontFamily = "sans-serif"
    /// The height of a line of text (ascent and descent together, as in ASS) as a fraction of the frame's shorter
    /// side, 0.01 to 0.5.
    ///
    /// For the usual landscape film the shorter side is the height. In portrait it is the width, so that as many
    /// words fit in a line there as on a phone held the other way.
    public var fontSize = 0.06
    /// The same in pixels of the frame, 4 to 2000; where it is given it replaces `fontSize`.
    public var fontSizePixels: Double?
    /// Default false; a cue can be bold where its style is not, but not the other way round.
    public var bold = false
    /// Default false; for cues as with `bold`.
    public var italic = false

    /// The letters' colour. Default white.
    public var fillColor = CaptionColor.white
    /// 0 to 1, multiplied with the colour's own; so are the others below.
    public var fillOpacity = 1.0

    /// The colour of the line around the letters. Default black.
    public var outlineColor = CaptionColor.black
    /// 0 to 1, multiplied with the colour's own. Default 1.
    public var outlineOpacity = 1.0
    /// A fraction of the font size, 0 to 0.5; 0 draws none.
    public var outlineWidth = 0.06

    /// Only seen where `shadowOffset` is above 0. Default black.
    public var shadowColor = CaptionColor.black
    /// 0 to 1, multiplied with the colour's own. Default 0.6.
    public var shadowOpacity = 0.6
    /// How far right and below, as a fraction of the font size, 0 to 0.5; 0 draws none.
    public var shadowOffset = 0.0

    /// A box behind the whole caption; `nil` draws none.
    public var backgroundColor: CaptionColor?
    /// 0 to 1, multiplied with the colour's own. Default 1.
    public var backgroundOpacity = 1.0
    /// How far the box reaches beyond the text, as a fraction of the font size, 0 to 2.
    public var backgroundPadding = 0.2

    /// Where captions stand that do not say it themselves. Default bottom.
    public var alignment = CaptionAnchor.bottom
    /// What stays free along every edge of the frame, as a fraction of its width or height, 0 to 0.4.
    public var safeArea = 0.05
    /// More room left and right, inside the safe area, as a fraction of the frame's width, 0 to 0.4.
    public var marginHorizontal = 0.0
    /// More room above and below, inside the safe area, as a fraction of the frame's height, 0 to 0.4.
    public var marginVertical = 0.0

    /// The widest a line may be, as a fraction of the frame's width, 0.1 to 1; never beyond the margins.
    public var maximumWidth = 0.9
    /// How a cue's long lines are broken. Default balanced.
    public var lineWrapping = LineWrapping.balanced
    /// The most lines shown at once, 1 to 20; `nil` is as many as fit between the margins.
    ///
    /// A cue that needs more is set smaller, down to 60 %; then it is shown in parts, one after the other.
    public var maximumLines: Int?

    /// What happens to a line that is wider than it may be.
    public enum LineWrapping: String, Sendable, Codable, CaseIterable {
        /// Broken into lines of about the same width.
        case balanced
        /// Every line filled as far as it goes.
        case greedy
        /// Only broken where the cue is.
        case none
    }

    /// Every field at its default.
    public init() {}
}

/// The frame that captions are drawn on, as it is shown: upright and in square pixels.
public struct CaptionCanvas: Sendable, Equatable {
    /// Pixels, at least 1.
    public var width: Int
    /// Pixels, at least 1.
    public var height: Int

    /// Sides below 1 are taken for 1.
    public init(width: Int, height: Int) {
        self.width = max(width, 1)
        self.height = max(height, 1)
    }

    var shorterSide: Int { min(width, height) }
}
