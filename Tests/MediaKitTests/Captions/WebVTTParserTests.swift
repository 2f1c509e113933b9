import MediaKit
import Testing

@Suite struct `WebVTT` {
    @Test func `header, notes, style sheets, regions and identifiers are passed over`() throws {
        let document = try SubtitleFixtures.parse(
            """
            WEBVTT - a title
            Kind: captions

            STYLE
            ::cue { color: red }

            REGION
            id:fred

            NOTE a note
            over two lines

            intro
            00:01.000 --> 00:02.000
            one

            01:00:00.000 --> 01:00:01.500
            two
            lines
            """)
        #expect(document.format == .webVTT)
        #expect(document.cues.map(\.text) == ["one", "two\nlines"])
        #expect(document.cues.map(\.start) == [1000, 3_600_000])
        #expect(document.cues.map(\.line) == [14, 17])
        #expect(document.warnings.map(\.line) == [4, 7])
    }

    @Test func `a missing blank line before times does not swallow the cue`() throws {
        let cues = try SubtitleFixtures.cues("WEBVTT\n\n00:01.000 --> 00:02.000\none\n00:03.000 --> 00:04.000\ntwo\n")
        #expect(cues.map(\.text) == ["one", "two"])
    }

    @Test(arguments: [
        "1:00.000 --> 00:02.000", "00:01.00 --> 00:02.000", "00:61.000 --> 00:62.000", "00:02.000 --> 00:01.000",
        "x --> y",
    ])
    func `a cue with bad times is skipped with a warning that names the line`(times: String) throws {
        let document = try SubtitleFixtures.parse("WEBVTT\n\n\(times)\nbad\n\n00:03.000 --> 00:04.000\ngood\n")
        #expect(document.cues.map(\.text) == ["good"])
        #expect(document.warnings.map(\.line) == [3])
    }

    @Test func `settings are read`() throws {
        func settings(_ text: String) throws -> WebVTTSettings? {
            let cue = try SubtitleFixtures.vttCue("x", settings: text)
            if case .webVTT(let settings) = cue.placement { return settings } else { return nil }
        }
        #expect(try settings("") == nil)
        #expect(
            try settings("line:45.5%,end position:60%,line-right size:35% align:start")
                == WebVTTSettings(
                    line: .percentage(45.5), lineAlignment: .end, position: 60, positionAlignment: .lineRight, size: 35,
                    align: .start))
        #expect(try settings("line:-3 align:middle") == WebVTTSettings(line: .number(-3), align: .center))
        #expect(try settings("vertical:rl") == WebVTTSettings(vertical: .rightToLeft))
        #expect(try settings("position:20%,middle") == WebVTTSettings(position: 20, positionAlignment: .center))
    }

    @Test(arguments: [
        "position:10", "size:101%", "line:x", "align:up", "nonsense", "size:", "line:-5%", "size:nan%", "line:1e9",
    ])
    func `a malformed setting is ignored with a warning`(setting: String) throws {
        let document = try SubtitleFixtures.parse("WEBVTT\n\n00:01.000 --> 00:02.000 \(setting)\nx\n")
        #expect(document.cues.first?.placement == nil)
        #expect(document.cues.count == 1)
        #expect(document.warnings.map(\.line) == [3])
    }

    @Test func `tags style their spans, and voices and classes are kept apart from the text`() throws {
        let cue = try SubtitleFixtures.vttCue(
            "<v.loud Mary  &amp; Ann>Hi <b>you</b></v> <i>a<u>b</u></i> <c.yellow.bg_blue>c</c><lang en>d</lang><00:01.500>e"
        )
        #expect(cue.text == "Hi you ab cde")
        #expect(cue.spans[0] == CueSpan("Hi ", voice: "Mary & Ann", classes: ["loud"]))
        #expect(cue.spans[1].bold && cue.spans[1].voice == "Mary & Ann")
        let coloured = try #require(cue.spans.first { $0.text == "c" })
        #expect(coloured.color == CaptionColor("#FFFF00"))
        #expect(coloured.background == CaptionColor("#0000FF"))
        #expect(cue.spans.last?.text == "de")
    }

    @Test func `ruby stands in brackets after its base`() throws {
        #expect(try SubtitleFixtures.vttCue("<ruby>漢<rt>かん</rt>字<rt>じ</ruby>!").text == "漢(かん)字(じ)!")
    }

    @Test func `references are resolved, and unknown tags vanish`() throws {
        #expect(
            try SubtitleFixtures.vttCue("1 &lt; 2 &amp;&nbsp;&#x41;&rlm; <x>y</x> & z; <never closed").text
                == "1 < 2 &\u{A0}A\u{200F} y & z; ")
    }
}
