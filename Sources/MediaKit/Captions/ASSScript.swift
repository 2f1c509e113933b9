/// A script in Advanced SubStation Alpha, as libass reads it.
///
/// A script from a file is all in `header`. Scripts made here keep their events apart, because ASS writes times in
/// hundredths of a second while an event can have milliseconds: give libass `header` with `ass_process_data`, and each
/// event's `chunk` with `ass_process_chunk`. `text` is the whole as a file, with times rounded to hundredths.
public struct ASSScript: Sendable, Equatable {
    /// `[Script Info]`, the styles and `[Events]` with its `Format` line; for a script from a file its events too.
    public var header: String
    /// Events besides those in `header`, in order of start.
    public var events: [ASSEvent]

    /// `events` are those that are not in `header`, in order of start.
    public init(header: String, events: [ASSEvent] = []) {
        self.header = header
        self.events = events
    }

    /// The fields of an event in the order that `ASSEvent` has.
    static let eventFormat = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    static let styleFormat =
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        + "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        + "MarginR, MarginV, Encoding"

    /// The script as the text of a file.
    public var text: String {
        var text = header
        if !events.isEmpty, text.utf8.last != 0x0A { text += "\n" }
        for event in events { text += event.dialogue + "\n" }
        return text
    }
}

/// One event of an ASS script.
public struct ASSEvent: Sendable, Equatable {
    /// Milliseconds.
    public var start: Int64
    /// Milliseconds.
    public var end: Int64
    /// Events of a higher layer are drawn over those of a lower one. Default 0.
    public var layer: Int
    /// The name of a style in the header. Default "Default".
    public var style: String
    /// Who speaks; not shown. Default: empty.
    public var name: String
    /// Margins in the script's pixels; 0 takes the style's.
    public var marginLeft: Int
    /// From the right edge, in the script's pixels; 0 takes the style's.
    public var marginRight: Int
    /// From the edge that the text stands at, in the script's pixels; 0 takes the style's.
    public var marginVertical: Int
    /// A movement of the whole event, such as "Banner;20"; empty, the default, for none.
    public var effect: String
    /// Text with override tags.
    public var text: String
    /// Unlike any other event's of the script: libass drops a second event with the same number.
    public var readOrder: Int

    /// Members that are not given take their defaults.
    public init(
        start: Int64, end: Int64, layer: Int = 0, style: String = "Default", name: String = "", marginLeft: Int = 0,
        marginRight: Int = 0, marginVertical: Int = 0, effect: String = "", text: String, readOrder: Int
    ) {
        self.start = start
        self.end = end
        self.layer = layer
        self.style = style
        self.name = name
        self.marginLeft = marginLeft
        self.marginRight = marginRight
        self.marginVertical = marginVertical
        self.effect = effect
        self.text = text
        self.readOrder = readOrder
    }

    /// From what libav's subtitle decoders give: `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`;
    /// `nil` where fields are missing.
    init?(chunk: String, start: Int64, end: Int64, readOrder: Int) {
        let fields = Array(chunk.utf8)[...].fields(separator: UInt8(ascii: ","), limit: 9)
        guard fields.count == 9, let layer = Int(fields[1].trimmed.prefix(9).string) else { return nil }
        let margins = fields[4...6].map { Int($0.trimmed.prefix(9).string) ?? 0 }
        var text = fields[8]
        while let last = text.last, last == 0x0A || last == 0x0D || last == 0 { text = text.dropLast() }
        let oneLine = text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D || $0 == 0 }).map(\.string)
        self.init(
            start: start, end: end, layer: layer, style: fields[2].trimmed.string, name: fields[3].string,
            marginLeft: margins[0], marginRight: margins[1], marginVertical: margins[2], effect: fields[7].string,
            text: oneLine.joined(separator: "\\N"), readOrder: readOrder)
    }

    private var tail: String {
        "\(style),\(name),\(marginLeft),\(marginRight),\(marginVertical),\(effect),\(text)"
    }

    /// What `ass_process_chunk` takes; the times go beside it.
    public var chunk: String { "\(readOrder),\(layer),\(tail)" }

    /// The event as a line of a script, with times rounded to hundredths of a second.
    public var dialogue: String {
        "Dialogue: \(layer),\(ASSEvent.time(start)),\(ASSEvent.time(end)),\(tail)"
    }

    /// Milliseconds that can be counted with: from 0 to 557 years.
    static func clamped(_ milliseconds: Int64) -> Int64 { min(max(milliseconds, 0), 1 << 44) }

    /// `h:mm:ss.cc`.
    static func time(_ milliseconds: Int64) -> String {
        let hundredths = (clamped(milliseconds) + 5) / 10
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let seconds = hundredths / 100
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60)).\(two(hundredths % 100))"
    }
}
