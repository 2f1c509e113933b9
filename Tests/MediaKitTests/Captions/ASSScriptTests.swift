import MediaKit
import Testing

@Suite struct `ASS scripts` {
    private let script = """
        [Script Info]
        ScriptType: v4.00
        PlayResY: 600

        [V4 Styles]
        Format: Name, Fontname, Fontsize
        Style: Main,Arial,20
        Style: Sign,Arial,30

        [Events]
        Format: Marked, Start, End, Style, Text
        Dialogue: Marked=0,0:00:01.00,0:00:02.00,Main,{\\b1}Hello, world
        Comment: 0,x
        Dialogue: Marked=0,0:00:04:00,0:00:05.00,Main,mended
        Dialogue: Marked=0,0:00:05.00,0:00:04.00,Main,backwards
        Dialogue: Marked=0,tomorrow,0:00:04.00,Main,no time
        Dialogue: too,few

        """

    @Test func `a script is kept, without the events that libass could not show`() throws {
        let document = try SubtitleFixtures.parse(script)
        #expect(document.format == .ass)
        let text = try #require(document.script).text
        #expect(text.contains("Dialogue: Marked=0,0:00:01.00,0:00:02.00,Main,{\\b1}Hello, world\n"))
        #expect(text.contains("Dialogue: Marked=0,0:00:04.00,0:00:05.00,Main,mended\n"))
        #expect(!text.contains("backwards") && !text.contains("no time") && !text.contains("too,few"))
        #expect(document.warnings.map(\.line) == [14, 15, 16, 17])
    }

    @Test(arguments: ["[Script Info]\nTitle: x\n", "[Script Info]\n[Events]\nDialogue: 0,a,b,c\n"])
    func `a script without a usable event is bad input`(text: String) {
        #expect(SubtitleFixtures.error(Array(text.utf8))?.code == .badInput)
    }

    @Test func `PlayRes is written out where it is missing, as renderers assume it`() throws {
        let given = try #require(try SubtitleFixtures.parse(script).script)
        #expect(given.playRes == (800, 600))
        let completed = given.settingPlayRes()
        #expect(completed.header.contains("[Script Info]\nPlayResX: 800\nPlayResY: 600\n"))
        #expect(completed.header.components(of: "PlayResY") == 1)
        #expect(
            ASSScript(header: "[Events]\n").settingPlayRes().header.hasPrefix(
                "[Script Info]\nPlayResX: 384\nPlayResY: 288\n"))
        #expect(completed.settingPlayRes() == completed)
    }

    @Test(arguments: ["1e300", "-5", "0", "nan", "x", "99999999999999999999"])
    func `a PlayRes that cannot be is taken for missing`(value: String) {
        let script = ASSScript(header: "[Script Info]\nPlayResX: \(value)\n[Events]\n")
        #expect(script.playRes == (384, 288))
        #expect(script.settingPlayRes().header.contains("PlayResX: 384\nPlayResY: 288\n"))
    }

    @Test func `a script is drawn as it is, unless its styles are to be replaced`() throws {
        let document = try SubtitleFixtures.parse(script)
        let frame = CaptionCanvas(width: 640, height: 360)
        let kept = try document.script(style: CaptionStyle(), geometry: frame).script
        #expect(kept.text.contains("Style: Main,Arial,20"))
        let replaced = try document.script(style: CaptionStyle(), geometry: frame, replacesStyles: true).script
        #expect(replaced.text.contains("Style: Main,sans-serif,36,"))
    }

    @Test func `styles can be replaced, keeping their names, the events and the scale of the script`() throws {
        var style = CaptionStyle()
        style.fontFamily = "Noto Sans"
        style.fontSize = 0.1
        let given = try #require(try SubtitleFixtures.parse(script).script)
        let replaced = try given.replacingStyles(with: style, geometry: CaptionCanvas(width: 1600, height: 1200))
            .header
        #expect(replaced.contains("\nStyle: Main,Noto Sans,60,"))
        #expect(replaced.contains("\nStyle: Sign,Noto Sans,60,"))
        #expect(!replaced.contains("Arial") && !replaced.contains("[V4 Styles]"))
        #expect(replaced.contains("ScriptType: v4.00+\n"))
        #expect(replaced.contains("{\\b1}Hello, world"))
    }

    private let header = """
        [Script Info]
        ScriptType: v4.00+
        PlayResX: 384
        PlayResY: 288

        [V4+ Styles]
        Format: Name, Fontname
        Style: Default,Arial

        [Events]
        Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
        """

    @Test func `an embedded ASS track keeps its styles`() throws {
        let events = [
            SubtitleTrackEvent(start: 2001, end: 3000, dialogue: "1,0,Default,,0,0,0,,{\\i1}b, c"),
            SubtitleTrackEvent(start: 1001, end: 2000, dialogue: "0,3,Default,Bob,1,2,3,fx,a"),
        ]
        let document = try SubtitleDocument.fromASSEvents(
            header: header, events: events, keepsStyles: true, name: "film.mkv")
        let script = try #require(document.script)
        #expect(script.events.map(\.start) == [1001, 2001])
        #expect(script.events.map(\.chunk) == ["0,3,Default,Bob,1,2,3,fx,a", "1,0,Default,,0,0,0,,{\\i1}b, c"])
        #expect(script.text.contains("Effect, Text\nDialogue: 3,0:00:01.00,0:00:02.00,Default,Bob,1,2,3,fx,a\n"))
    }

    @Test func `an embedded text track becomes cues`() throws {
        let events = [
            SubtitleTrackEvent(
                start: 0, end: 1000, dialogue: "0,0,Default,,0,0,0,,{\\an8}one\\Ntwo {\\b1}bold{\\b0} \\{x\\}, <i>"),
            SubtitleTrackEvent(start: 1500, end: 1500, dialogue: "1,0,Default,,0,0,0,,no end"),
            SubtitleTrackEvent(start: 2000, end: 2500, dialogue: "2,0,Default,,0,0,0,,"),
            SubtitleTrackEvent(start: 3000, end: 3500, dialogue: "broken"),
        ]
        let document = try SubtitleDocument.fromASSEvents(
            header: header, events: events, keepsStyles: false, name: "film.mp4")
        #expect(document.cues.map(\.text) == ["one\ntwo bold {x}, <i>", "no end"])
        #expect(document.cues.first?.placement == .anchor(.top))
        #expect(document.cues.first?.spans[1] == CueSpan("bold", bold: true))
        #expect(document.cues.last?.end == 2000)
        #expect(document.warnings.count == 2)
    }

    @Test func `a track without events is bad input`() {
        #expect(throws: MediaError.self) {
            try SubtitleDocument.fromASSEvents(header: "", events: [], keepsStyles: true, name: "film.mkv")
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
