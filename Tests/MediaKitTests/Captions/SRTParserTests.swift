import MediaKit
import Testing

@Suite struct `SubRip` {
    @Test func `cues have their times, text and line`() throws {
        let cues = try SubtitleFixtures.cues(
            "1\n00:00:01,500 --> 00:00:02,750\nHello\nworld\n\n2\n01:02:03,004 --> 01:02:04,000\nBye\n")
        #expect(cues.map(\.start) == [1500, 3_723_004])
        #expect(cues.map(\.end) == [2750, 3_724_000])
        #expect(cues.map(\.text) == ["Hello\nworld", "Bye"])
        #expect(cues.map(\.line) == [2, 7])
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func `every kind of line end is read`(end: String) throws {
        let text = [
            "1", "00:00:01,000 --> 00:00:02,000", "one", "two", "", "2", "00:00:03,000 --> 00:00:04,000", "three",
        ]
        let cues = try SubtitleFixtures.cues(text.joined(separator: end))
        #expect(cues.map(\.text) == ["one\ntwo", "three"])
        #expect(cues.map(\.line) == [2, 7])
    }

    @Test(arguments: [
        ("00:00:01,500 --> 00:00:02,000", 1500), ("00:00:01.500 --> 00:00:02.000", 1500),
        ("00:01,500 --> 00:02,000", 1500),
        ("0:0:1,5 --> 0:0:2", 1500), ("00:00:01:500 --> 00:00:02:000", 1500), ("00:00:001,500 --> 00:00:02,000", 1500),
        ("  00:00:01,500-->00:00:02,000  X1:10 X2:20 Y1:30 Y2:40", 1500),
    ])
    func `times are read as people write them`(times: String, start: Int64) throws {
        let cue = try #require(try SubtitleFixtures.cues("1\n\(times)\ntext\n").first)
        #expect(cue.start == start)
        #expect(cue.end == 2000)
        #expect(cue.text == "text")
    }

    @Test(arguments: [
        "00:00:05,000 -> 00:00:06,000", "00:00:05,00 --> 00:00:06,000", "00:00:05,0000 --> 00:00:06,000",
        "00:61:05,000 --> 00:62:06,000", "00:00:05,000 --> 99:99:99,999", "-00:00:05,000 --> 00:00:06,000",
        "00:00:06,000 --> 00:00:05,000", "00:00:05,000 --> 00:00:05,000", "5 --> 6", "--> 00:00:06,000",
    ])
    func `a cue with bad times is skipped with a warning that names the line`(times: String) throws {
        let document = try SubtitleFixtures.parse(
            "1\n00:00:01,000 --> 00:00:02,000\ngood\n\n2\n\(times)\nbad\n\n3\n00:00:07,000 --> 00:00:08,000\nalso good\n"
        )
        #expect(document.cues.map(\.text) == ["good", "also good"])
        #expect(document.warnings.map(\.line) == [6])
    }

    @Test func `numbers may be missing or double, and blank lines may stand in a text`() throws {
        let cues = try SubtitleFixtures.cues(
            "00:00:01,000 --> 00:00:02,000\nfirst\n\nstill first\n\n00:00:03,000 --> 00:00:04,000\n42\n\n7\n00:00:05,000 --> 00:00:06,000\nthird\n8\n00:00:07,000 --> 00:00:08,000\nfourth"
        )
        #expect(cues.map(\.text) == ["first\n\nstill first", "42", "third", "fourth"])
    }

    @Test func `a file that ends inside a cue gives the cues before it`() throws {
        let document = try SubtitleFixtures.parse("1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n")
        #expect(document.cues.map(\.text) == ["one"])
    }

    @Test func `cues are ordered by start and may overlap`() throws {
        let cues = try SubtitleFixtures.cues(
            "1\n00:00:05,000 --> 00:00:09,000\nlate\n\n2\n00:00:01,000 --> 00:00:08,000\nearly\n\n3\n00:00:05,000 --> 00:00:06,000\nlater\n"
        )
        #expect(cues.map(\.text) == ["early", "late", "later"])
    }

    @Test func `tags style their spans`() throws {
        let cue = try SubtitleFixtures.srtCue(
            ##"a<b>b<i>c</i></b><U>d</u><s>e</s><font color="#ff8000">f</font><font face=x color=lime>g</font>h"##)
        #expect(cue.text == "abcdefgh")
        #expect(cue.spans.map(\.text) == ["a", "b", "c", "d", "e", "f", "g", "h"])
        #expect(cue.spans.map(\.bold) == [false, true, true, false, false, false, false, false])
        #expect(cue.spans.map(\.italic) == [false, false, true, false, false, false, false, false])
        #expect(cue.spans[3].underline)
        #expect(cue.spans[4].strikeout)
        #expect(cue.spans[5].color == CaptionColor(red: 255, green: 128, blue: 0))
        #expect(cue.spans[6].color == CaptionColor(red: 0, green: 255, blue: 0))
        #expect(cue.spans[7] == CueSpan("h"))
    }

    @Test func `override blocks style and place, and are not shown`() throws {
        let cue = try SubtitleFixtures.srtCue(#"{\an8}{\i1}slanted{\i0} {\b1\c&H0000FF&}red{\r}{\fs20\bord3} plain"#)
        #expect(cue.placement == .anchor(.top))
        #expect(
            cue.spans == [
                CueSpan("slanted", italic: true), CueSpan(" "),
                CueSpan("red", bold: true, color: CaptionColor(red: 255, green: 0, blue: 0)), CueSpan(" plain"),
            ])
        #expect(try SubtitleFixtures.srtCue(#"{\a6}x"#).placement == .anchor(.top))
        #expect(try SubtitleFixtures.srtCue(#"{\an2}{\an9}x"#).placement == .anchor(.bottom))
        #expect(try SubtitleFixtures.srtCue(#"{\pos(192,72)}x"#).placement == .point(x: 0.5, y: 0.25, anchor: .bottom))
        #expect(try SubtitleFixtures.srtCue(#"{\p1}m 0 0 l 10 10{\p0}x"#).text == "x")
    }

    @Test(arguments: [
        "a < b > c", "{ not a tag }", "1 <2> 3", "<3", "C:\\New\\folder", "{y:i}text", "unclosed {\\i1 brace",
        "R&D &c;",
        "<unknown>x</unknown>",
    ])
    func `what only looks like markup is text`(text: String) throws {
        #expect(try SubtitleFixtures.srtCue(text).text == text)
    }

    @Test func `character references and line break tags are resolved`() throws {
        #expect(
            try SubtitleFixtures.srtCue("Tom &amp; J&#233;r&#xF4;me<br/>&lt;b&gt;&nbsp;!").text
                == "Tom & Jérôme\n<b>\u{A0}!")
    }

    @Test func `a cue without text is skipped with a warning`() throws {
        let document = try SubtitleFixtures.parse(
            "1\n00:00:01,000 --> 00:00:02,000\n<i></i> \n\n2\n00:00:03,000 --> 00:00:04,000\nx\n")
        #expect(document.cues.map(\.text) == ["x"])
        #expect(document.warnings.map(\.line) == [2])
    }
}
