/// Where an event stands, in the script's pixels.
///
/// Margins are used wherever they can say it: libass then keeps captions that are shown together from covering each
/// other, which it does not for `\pos`.
struct ASSPlacement {
    var anchor: CaptionAnchor
    /// 0 is the style's margin.
    var marginLeft = 0
    var marginRight = 0
    /// The widest a line may be.
    var lineWidth: Double

    private var vertical = Vertical.style
    private let metrics: CaptionMetrics

    private enum Vertical {
        case style
        /// The block's top, middle or bottom at a height.
        case at(Double, WebVTTSettings.LineAlignment)
        /// The block's top on a line of text, counted from 0 at the top or -1 at the bottom.
        case line(Double)
        case point(x: Double, y: Double)
    }

    init(_ placement: CuePlacement?, isRightToLeft: Bool, metrics: CaptionMetrics) {
        self.metrics = metrics
        anchor = metrics.style.alignment
        lineWidth = metrics.lineWidth
        switch placement {
        case nil: break
        case .anchor(let given): anchor = given
        case .point(let x, let y, let given):
            anchor = given
            vertical = .point(x: x * metrics.width, y: y * metrics.height)
        case .webVTT(let settings):
            // Vertical writing is drawn in lines, where its settings would mean something else.
            if settings.vertical == nil { apply(settings, isRightToLeft: isRightToLeft) }
        }
    }

    /// The box of a WebVTT cue: <https://www.w3.org/TR/webvtt1/#apply-webvtt-cue-settings>, kept inside the margins.
    private mutating func apply(_ settings: WebVTTSettings, isRightToLeft: Bool) {
        if settings.align != nil || settings.position != nil || settings.size != nil {
            let align = settings.align ?? .center
            let horizontal = horizontal(align, isRightToLeft)
            let position = settings.position ?? [0, 50, 100][horizontal.rawValue]
            let alignment =
                settings.positionAlignment
                ?? [.left: .lineLeft, .center: .center, .right: .lineRight][horizontal] ?? .center
            let room: Double
            switch alignment {
            case .lineLeft: room = 100 - position
            case .lineRight: room = position
            case .center: room = 2 * min(position, 100 - position)
            }
            let size = min(settings.size ?? 100, room)
            let start: Double
            switch alignment {
            case .lineLeft: start = position
            case .lineRight: start = position - size
            case .center: start = position - size / 2
            }
            setBox(from: start / 100 * metrics.width, width: size / 100 * metrics.width, align: horizontal)
        }
        switch settings.line {
        case nil: break
        case .percentage(let percent): vertical = .at(percent / 100 * metrics.height, settings.lineAlignment)
        case .number(let number): vertical = .line(number)
        }
        switch vertical {
        case .style, .point: break
        case .line(let number): anchor = CaptionAnchor(anchor.horizontal, number < 0 ? .bottom : .top)
        case .at(_, .start): anchor = CaptionAnchor(anchor.horizontal, .top)
        case .at(_, .center): anchor = CaptionAnchor(anchor.horizontal, .middle)
        case .at(_, .end): anchor = CaptionAnchor(anchor.horizontal, .bottom)
        }
    }

    private func horizontal(
        _ align: WebVTTSettings.TextAlignment, _ isRightToLeft: Bool
    ) -> CaptionAnchor.Horizontal {
        switch align {
        case .left: .left
        case .right: .right
        case .center: .center
        case .start: isRightToLeft ? .right : .left
        case .end: isRightToLeft ? .left : .right
        }
    }

    private mutating func setBox(from start: Double, width: Double, align: CaptionAnchor.Horizontal) {
        anchor = CaptionAnchor(align, anchor.vertical)
        // A box too narrow for a few letters grows around its middle, or inwards from the margin.
        let least = min(4 * metrics.fontSize, metrics.lineWidth)
        let wanted = max(width, least)
        let leftmost = metrics.marginX
        let rightmost = metrics.width - metrics.marginX
        var left = start - (wanted - width) * [0, 0.5, 1][align.rawValue]
        var right = left + wanted
        left = min(max(left, leftmost), rightmost - least)
        right = max(min(right, rightmost), left + least)
        marginLeft = max(Int(left.rounded()), 1)
        marginRight = max(Int((metrics.width - right).rounded()), 1)
        lineWidth = max(min(right - left, metrics.lineWidth), metrics.fontSize)
    }

    /// What an event of so many lines says of its place: the vertical margin (0 is the style's) and override tags.
    func resolved(lines: Int, lineHeight: Double) -> (marginVertical: Int, tags: String) {
        let block = Double(lines) * lineHeight
        let highest = metrics.marginY
        let lowest = max(metrics.height - metrics.marginY - block, highest)
        func top(_ wanted: Double) -> Double { min(max(wanted, highest), lowest) }
        func margin(_ value: Double) -> Int { max(Int(value.rounded()), 1) }
        var tags = anchor == metrics.style.alignment ? "" : "\\an\(anchor.assNumber)"
        switch vertical {
        case .style:
            return (0, tags)
        case .point(let x, let y):
            tags = "\\an\(anchor.assNumber)\\pos(\(CaptionMetrics.number(x)),\(CaptionMetrics.number(y)))"
            return (0, tags)
        case .line(let number) where number >= 0:
            return (margin(top(highest + number * lineHeight)), tags)
        case .line(let number):
            let wanted = metrics.height - metrics.marginY + number * lineHeight
            return (margin(metrics.height - top(wanted) - block), tags)
        case .at(let y, .start):
            return (margin(top(y)), tags)
        case .at(let y, .end):
            return (margin(metrics.height - top(y - block) - block), tags)
        case .at(let y, .center):
            let left = marginLeft > 0 ? Double(marginLeft) : metrics.marginX
            let right = metrics.width - (marginRight > 0 ? Double(marginRight) : metrics.marginX)
            let x = [left, (left + right) / 2, right][anchor.horizontal.rawValue]
            let middle = top(y - block / 2) + block / 2
            return (0, tags + "\\pos(\(CaptionMetrics.number(x)),\(CaptionMetrics.number(middle)))")
        }
    }

    /// Whether the first letter with a direction is Hebrew, Arabic or the like (UAX #9, rule P2, by blocks).
    static func isRightToLeft(_ text: String) -> Bool {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF, 0x200F:
                if scalar.value == 0x200F || scalar.properties.isAlphabetic { return true }
            default:
                if scalar.value == 0x200E || scalar.properties.isAlphabetic { return false }
            }
        }
        return false
    }
}
