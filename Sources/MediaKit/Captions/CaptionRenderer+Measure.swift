import CLibass

/// Measures text as libass will lay it out: with the same fonts, fallbacks, shaping and kerning.
///
/// Thread safety: not safe for use from two threads at once.
public final class CaptionTextMeasurer {
    private struct Key: Hashable {
        var text: String
        var family: String
        var isBold: Bool
        var isItalic: Bool
    }

    /// Pixels of the font that is measured: widths are good to about a hundredth of it.
    private static let size = 80
    /// What a line may measure: longer text is cut off here, in pixels.
    private static let frameWidth = 32_000
    /// Widths remembered; a wrapper asks for the same words again and again.
    private static let memory = 4096

    private let renderer: CaptionRenderer
    private let track: UnsafeMutablePointer<ASS_Track>
    private var known: [Key: Double] = [:]

    /// - Parameters:
    ///   - fonts: fonts to look in before the system's.
    ///   - defaultFamily: the family that stands in where the one asked for is not installed.
    /// - Throws: `MediaError` with `internal` if libass cannot be started.
    public init(fonts: [FontFile] = [], defaultFamily: String? = nil) throws {
        let header = """
            [Script Info]
            ScriptType: v4.00+
            PlayResX: \(Self.frameWidth)
            PlayResY: \(Self.size * 4)
            WrapStyle: 2
            [V4+ Styles]
            Format: Name, Fontname, Fontsize, ScaleX, ScaleY, BorderStyle, Outline, Shadow, Alignment
            Style: Default,Arial,\(Self.size),100,100,1,0,0,7
            [Events]
            Format: Layer, Start, End, Style, Text

            """
        renderer = try CaptionRenderer(
            script: Array(header.utf8),
            geometry: CaptionGeometry(width: Self.frameWidth, height: Self.size * 4),
            library: try CaptionLibrary(fonts: fonts, defaultFamily: defaultFamily))
        guard let track = ass_new_track(renderer.library) else {
            throw MediaError(.internal, "libass could not start a track")
        }
        self.track = track
        process(header)
    }

    deinit { ass_free_track(track) }

    /// How far a text advances on one line, as a multiple of the font size. 0 where no font can be found.
    public func width(of text: String, family: String, bold: Bool = false, italic: Bool = false) -> Double {
        guard !text.isEmpty else { return 0 }
        let key = Key(text: text, family: family, isBold: bold, isItalic: italic)
        if let width = known[key] { return width }
        // Bars on both sides make spaces count, and take their own bearings out of the difference.
        let bare = ink("||", key)
        let width = bare > 0 ? Double(max(ink("|\(Self.plain(text))|", key) - bare, 0)) / Double(Self.size) : 0
        if known.count >= Self.memory { known.removeAll(keepingCapacity: true) }
        known[key] = width
        return width
    }

    /// The text without what would be a tag or a new line.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar {
                    case "{": "("
                    case "}": ")"
                    case "\\": "/"
                    default: scalar.value < 0x20 ? " " : scalar
                    }
                }))
    }

    /// The width of what is drawn, in pixels.
    private func ink(_ text: String, _ key: Key) -> Int {
        ass_flush_events(track)
        // A family with a brace or a backslash in its name cannot be asked for by tag; none has.
        let family = key.family.filter { !"{}\\".contains($0) && !$0.isNewline }
        process(
            "Dialogue: 0,0:00:00.00,0:00:01.00,Default,"
                + "{\\pos(\(Self.size),\(Self.size))\\fn\(family)\\b\(key.isBold ? 1 : 0)\\i\(key.isItalic ? 1 : 0)}\(text)\n"
        )
        var image = ass_render_frame(renderer.renderer, track, 0, nil)
        var left = Int.max
        var right = 0
        while let next = image {
            image = next.pointee.next
            guard let bitmap = CaptionBitmap(next.pointee, frameWidth: Self.frameWidth, frameHeight: Self.size * 4)
            else {
                continue
            }
            for x in 0..<bitmap.width where bitmap.x + x < left || bitmap.x + x >= right {
                let isInked = (0..<bitmap.height).contains { bitmap.coverage[$0 * bitmap.stride + x] > 127 }
                if isInked { (left, right) = (min(left, bitmap.x + x), max(right, bitmap.x + x + 1)) }
            }
        }
        return left < right ? right - left : 0
    }

    private func process(_ text: String) {
        var bytes = Array(text.utf8)
        bytes.withUnsafeMutableBytes {
            ass_process_data(track, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count))
        }
    }
}
