import MediaKit
import Testing

@Suite struct `ASS from cues` {
    private let frame = CaptionCanvas(width: 1000, height: 500)

    private func write(_ cues: [Cue], _ change: (inout CaptionStyle) -> Void = { _ in }) throws -> (
        script: ASSScript, warnings: [SubtitleWarning]
    ) {
        var style = CaptionStyle()
        style.fontSize = 0.1
        change(&style)
        // Half a font size for every character: 36 fit in a line of 900 pixels at 50.
        return try ASSWriter(style: style, geometry: frame) { text, _, _ in Double(text.count) / 2 }.write(cues)
    }

    private func event(_ cue: Cue, _ change: (inout CaptionStyle) -> Void = { _ in }) throws -> ASSEvent {
        let events = try write([cue], change).script.events
        #expect(events.count == 1)
        return try #require(events.first)
    }

    private func cue(_ text: String, _ placement: CuePlacement? = nil) -> Cue {
        Cue(start: 1234, end: 5678, text: text, placement: placement)
    }

    /// The fields of the `Style:` line of the text.
    private func styleFields(
        _ change: (inout CaptionStyle) -> Void = { _ in }, frame: CaptionCanvas
    ) throws -> [String: String] {
        var style = CaptionStyle()
        change(&style)
        let lines = try ASSWriter(style: style, geometry: frame).write([]).script.header.split(separator: "\n")
        let names = lines.first { $0.hasPrefix("Format: Name") }?.dropFirst(8).split(separator: ",") ?? []
        let values = lines.first { $0.hasPrefix("Style: Default") }?.dropFirst(7).split(separator: ",") ?? []
        return Dictionary(zip(names, values).map { ($0.filter { $0 != " " }, String($1)) }) { first, _ in first }
    }

    @Test func `the script counts in pixels of the frame`() throws {
        let text = try write([cue("x")]).script.text
        #expect(text.contains("PlayResX: 1000\nPlayResY: 500\n"))
        #expect(text.contains("ScaledBorderAndShadow: yes"))
        #expect(text.hasSuffix("Dialogue: 2,0:00:01.23,0:00:05.68,Default,,0,0,0,,x\n"))
    }

    @Test func `events keep their milliseconds`() throws {
        let event = try event(cue("x"))
        #expect(event.start == 1234 && event.end == 5678)
        #expect(event.chunk == "0,2,Default,,0,0,0,,x")
    }

    @Test func `captions look alike at every resolution and as large on a portrait phone`() throws {
        #expect(try styleFields(frame: .init(width: 854, height: 480))["Fontsize"] == "28.8")
        #expect(try styleFields(frame: .init(width: 3840, height: 2160))["Fontsize"] == "129.6")
        #expect(try styleFields(frame: .init(width: 2160, height: 3840))["Fontsize"] == "129.6")
        #expect(
            try styleFields({ $0.fontSizePixels = 33 }, frame: .init(width: 2160, height: 3840))["Fontsize"] == "33")
    }

    @Test func `every field of the style reaches the script`() throws {
        let fields = try styleFields(
            {
                $0.fontFamily = "Noto Serif"
                $0.fontSize = 0.1
                $0.bold = true
                $0.italic = true
                $0.fillColor = CaptionColor(red: 0x11, green: 0x22, blue: 0x33)
                $0.fillOpacity = 0.5
                $0.outlineColor = CaptionColor(red: 0x44, green: 0x55, blue: 0x66)
                $0.outlineWidth = 0.1
                $0.shadowOffset = 0.05
                $0.shadowOpacity = 1
                $0.shadowColor = CaptionColor(red: 0x77, green: 0x88, blue: 0x99)
                $0.alignment = .topRight
                $0.safeArea = 0.1
                $0.marginVertical = 0.1
            }, frame: frame)
        #expect(fields["Fontname"] == "Noto Serif")
        #expect(fields["Bold"] == "-1" && fields["Italic"] == "-1")
        #expect(fields["PrimaryColour"] == "&H7F332211")
        #expect(fields["OutlineColour"] == "&H00665544")
        #expect(fields["BackColour"] == "&H00998877")
        #expect(fields["Outline"] == "5" && fields["Shadow"] == "2.5")
        #expect(fields["Alignment"] == "9")
        #expect(fields["MarginL"] == "100" && fields["MarginR"] == "100" && fields["MarginV"] == "100")
    }

    @Test(arguments: [
        "{\\b1}not bold", "\\N\\n\\h", "a\\", "}{", "{\\pos(0,0)}", "\\{x\\}", "x{\\p1}m 0 0", "\\\\N", "a\\\n{b}",
    ])
    func `text never becomes a tag`(text: String) throws {
        let written = try event(Cue(start: 0, end: 1000, spans: [CueSpan(text), CueSpan("!", italic: true)])).text
        // Read as libass reads it: the only tags are ours, and the text comes out as it went in.
        var shown = ""
        var tags = ""
        var rest = Array(written)[...]
        while let first = rest.popFirst() {
            if first == "\\", let next = rest.first, "Nnh{}".contains(next) {
                rest = rest.dropFirst()
                shown.append(next == "N" ? "\n" : next == "n" || next == "h" ? " " : next)
            } else if first == "{", let end = rest.firstIndex(of: "}") {
                tags += String(rest[..<end])
                rest = rest[(end + 1)...]
            } else {
                shown.append(first)
            }
        }
        #expect(shown.unicodeScalars.filter { $0.value != 0x2060 }.elementsEqual((text + "!").unicodeScalars))
        #expect(tags == "\\i1")
    }

    @Test func `spans are set off from the style and back`() throws {
        let spans = [
            CueSpan("a"), CueSpan("b", bold: true, italic: true, color: CaptionColor("#FF8000")),
            CueSpan("c", underline: true),
            CueSpan("d", strikeout: true, voice: "Bob"),
        ]
        #expect(
            try event(Cue(start: 0, end: 1, spans: spans)).text
                == "a{\\b1\\i1\\1c&H0080FF&\\1a&H00&}b{\\b0\\i0\\u1\\1c&HFFFFFF&\\1a&H00&}c{\\u0\\s1}d")
        #expect(try event(Cue(start: 0, end: 1, spans: [CueSpan("x", bold: true)])) { $0.bold = true }.text == "x")
    }

    @Test func `a box is drawn behind the text, and beside a shadow in an event of its own`() throws {
        #expect(try styleFields({ $0.backgroundColor = CaptionColor("#0000FF80") }, frame: frame)["BorderStyle"] == "4")
        #expect(
            try styleFields({ $0.backgroundColor = CaptionColor("#0000FF80") }, frame: frame)["BackColour"]
                == "&H7FFF0000")
        let both = try write([cue("x")]) {
            $0.backgroundColor = .black
            $0.shadowOffset = 0.1
        }
        #expect(both.script.events.map(\.style) == ["Box", "Default"])
        #expect(Set(both.script.events.map(\.readOrder)).count == 2)
    }

    @Test func `a stretch with a background gets a box of its own colour`() throws {
        let spans = [CueSpan("a"), CueSpan("b", background: CaptionColor("#0000FF"))]
        let events = try write([Cue(start: 0, end: 1, spans: spans)]).script.events
        #expect(events.map(\.style) == ["Stretch", "Default"])
        #expect(events.first?.text == "a{\\3c&HFF0000&\\3a&H00&}b")
    }

    @Test func `anchors and points are kept`() throws {
        #expect(try event(cue("x", .anchor(.topLeft))).text == "{\\an7}x")
        #expect(try event(cue("x", .anchor(.bottom))).text == "x")
        #expect(try event(cue("x", .point(x: 0.25, y: 0.5, anchor: .center))).text == "{\\an5\\pos(250,250)}x")
    }

    @Test func `WebVTT settings become anchors and margins`() throws {
        func placed(_ settings: WebVTTSettings, _ text: String = "x") throws -> (Int, Int, Int, String) {
            let event = try event(cue(text, .webVTT(settings)))
            return (event.marginLeft, event.marginRight, event.marginVertical, event.text)
        }
        // The margins of the safe area are 50 and 25, a line is 50 high.
        #expect(try placed(.init(line: .percentage(80))) == (0, 0, 400, "{\\an8}x"))
        #expect(try placed(.init(line: .percentage(99))) == (0, 0, 425, "{\\an8}x"))
        #expect(try placed(.init(line: .percentage(60), lineAlignment: .end)) == (0, 0, 200, "x"))
        #expect(try placed(.init(line: .percentage(50), lineAlignment: .center)) == (0, 0, 0, "{\\an5\\pos(500,250)}x"))
        #expect(try placed(.init(line: .number(0))) == (0, 0, 25, "{\\an8}x"))
        #expect(try placed(.init(line: .number(2))) == (0, 0, 125, "{\\an8}x"))
        #expect(try placed(.init(line: .number(-1))) == (0, 0, 25, "x"))
        #expect(try placed(.init(line: .number(-3)), "x\ny") == (0, 0, 75, "x\\Ny"))
        #expect(try placed(.init(line: .number(-1)), "x\ny") == (0, 0, 25, "x\\Ny"))
        #expect(try placed(.init(align: .left)) == (50, 50, 0, "{\\an1}x"))
        #expect(try placed(.init(align: .start)) == (50, 50, 0, "{\\an1}x"))
        #expect(try placed(.init(align: .start), "שלום") == (50, 50, 0, "{\\an3}שלום"))
        #expect(try placed(.init(position: 60, size: 35, align: .start)) == (600, 50, 0, "{\\an1}x"))
        #expect(
            try placed(.init(position: 60, positionAlignment: .lineRight, size: 35, align: .start)) == (
                250, 400, 0, "{\\an1}x"
            ))
        #expect(try placed(.init(position: 30, size: 40)) == (100, 500, 0, "x"))
        #expect(try placed(.init(position: 0, size: 100, align: .center)).0 >= 50)
    }

    @Test func `the width that a cue asks for breaks its lines`() throws {
        let text = "aaaa bbbb cccc dddd eeee"
        #expect(try event(cue(text)).text == text)
        #expect(try event(cue(text, .webVTT(.init(size: 25)))).text == "aaaa bbbb\\Ncccc dddd\\Neeee")
        #expect(try event(cue(text)) { $0.maximumWidth = 0.5 }.text == "aaaa bbbb cccc\\Ndddd eeee")
    }

    @Test func `a cue with too many lines is joined, then set smaller, then shown in parts`() throws {
        #expect(try event(cue("aa\nbb")) { $0.maximumLines = 1 }.text == "aa bb")
        let smaller = try event(cue("aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeee")) { $0.maximumLines = 1 }
        #expect(smaller.text == "{\\fs40}aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeee")
        let (script, warnings) = try write([Cue(start: 0, end: 9000, text: "- a\n- b\n- c\n- d\n- e", line: 7)]) {
            $0.maximumLines = 2
        }
        #expect(script.events.map(\.start) == [0, 3000, 6000])
        #expect(script.events.map(\.end) == [3000, 6000, 9000])
        #expect(script.events.map { $0.text.split(separator: "}").last ?? "" } == ["- a", "- b\\N- c", "- d\\N- e"])
        #expect(warnings.map(\.line) == [7])
    }

    @Test func `text without end stays inside the frame and ends`() throws {
        let long = Cue(start: 0, end: 100, text: String(repeating: "lorem ipsum ", count: 2000))
        let (script, warnings) = try write([long])
        #expect(script.events.count == 2)
        #expect(script.events.allSatisfy { $0.text.split(separator: "N").count < 20 })
        #expect(warnings.count == 1)
    }

    @Test func `a style out of range is refused`() {
        for change: (inout CaptionStyle) -> Void in [
            { $0.fontSize = .nan }, { $0.safeArea = 3 }, { $0.maximumLines = -1 },
        ] {
            #expect(throws: MediaError.self) { try write([cue("x")], change) }
        }
    }

    @Test func `times that cannot be do no harm`() throws {
        let times: [(Int64, Int64)] = [(.min, .max), (-500, 1000), (5, 5), (9, 3), (.max - 1, .max), (.min, 0)]
        let cues = times.map { Cue(start: $0.0, end: $0.1, text: "- x\n- y") }
        let events = try write(cues) { $0.maximumLines = 1 }.script.events
        #expect(events.allSatisfy { $0.start >= 0 && $0.end > $0.start })
        #expect(events.map(\.start).filter { $0 < 1000 } == [0, 0, 500])
        #expect(events.count == 4)
    }

    @Test(arguments: [(1, 1), (7680, 1), (1, 4320), (Int.max, Int.max), (-5, 0)])
    func `frames of any size can be written for`(width: Int, height: Int) throws {
        let geometry = CaptionCanvas(width: width, height: height)
        let settings = WebVTTSettings(line: .percentage(50), lineAlignment: .center, position: 10, size: 5, align: .end)
        let events = try ASSWriter(style: CaptionStyle(), geometry: geometry)
            .write([cue("one two three", .webVTT(settings)), cue("one two three")]).script.events
        #expect(events.count >= 2)
    }
}
