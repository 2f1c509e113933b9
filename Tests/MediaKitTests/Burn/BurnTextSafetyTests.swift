import MediaKit
import TestSupport
import Testing

/// What stands in a cue is text: some of it is styled by the format's conventions, none of it commands the renderer.
@Suite(.enabled(if: canDrawCaption("A"))) struct BurnTextSafetyTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func `override blocks in SubRip style the text and are not shown`() async throws {
        let plain = try #require(try await bench.ink(srt("Hello")))
        let bold = try #require(try await bench.ink(srt("{\\b1}Hello")))
        #expect(try await bench.ink(srt("<b>Hello</b>")) == bold)
        #expect(bold.count > plain.count && bold.width < plain.width * 13 / 10)
        #expect(try #require(try await bench.ink(srt("{\\an8}Hello"))).rows.upperBound < 60)
        #expect(try await bench.ink(srt("{\\fs300\\bord50\\frz45}Hello")) == plain)
    }

    @Test(arguments: [
        "{\\p1}m 0 0 l 600 0 600 300 0 300{\\p0}Hello", "{\\p1}m 0 0 l 600 0 600 300 0 300{\\p0}{\\b0}Hello",
        "{\\clip(0,0,1,1)}Hello", "{\\iclip(m 0 0 l 900 0 900 900 0 900)}Hello", "{\\fad(9000,9000)}Hello",
        "{\\t(0,1,\\fscx900)}Hello", "{\\fnNoSuchFont}Hello", "{\\rBox}Hello", "{\\k900}Hello",
        "{\\alpha&HFF&}Hello", "{\\move(0,0,600,300)}Hello",
    ])
    func `drawing, clipping and moving cannot be smuggled into SubRip`(text: String) async throws {
        let plain = try await bench.picture(srt("Hello")).map(\.samples)
        #expect(try await bench.picture(srt(text)).map(\.samples) == plain, "\(text)")
    }

    @Test(arguments: [
        "{\\p1}m 0 0 l 600 0 600 300 0 300{\\p0}", "{\\fs400}A", "{\\pos(10,10)}A", "\\N\\N\\N\\N\\N\\NA",
    ])
    func `WebVTT has no override blocks: they are shown as written`(text: String) async throws {
        let ink = try #require(try await bench.ink("WEBVTT\n\n00:00.000 --> 00:09.000\n\(text)\n"))
        // One or two lines of text at the bottom, not a drawing.
        #expect(ink.rows.lowerBound > 290 && ink.width > 30)
    }

    @Test func `backslashes and braces in SubRip are letters`() async throws {
        let one = try #require(try await bench.ink(srt("C:Notes and home")))
        let path = try #require(try await bench.ink(srt("C:\\Notes and \\home")))
        #expect(path.height < one.height * 3 / 2 && path.width > one.width)
        let braces = try #require(try await bench.ink(srt("a { b } c")))
        #expect(braces.width > (try #require(try await bench.ink(srt("a b c")))).width)
    }

    @Test func `lines of a script inside a cue are text, not events or styles`() async throws {
        let clip = burningClip(frames: 10, rate: 10)
        let text = "[Events]\nDialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,{\\p1}m 0 0 l 99 0 99 99"
        try await bench.burn(try bench.put(clip), .text(srt([(500, 900, text)])))
        let frames = try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
        #expect(frames.indices.filter { Ink(frames[$0].luma, on: burningGray) != nil } == [5, 6, 7, 8])
        #expect(frames.allSatisfy { (Ink($0.luma, on: burningGray)?.rows.lowerBound ?? 300) > 180 })
    }

    @Test func `a cue of absurd length is shown in parts, or refused`() async throws {
        let input = try bench.put(burningClip(frames: 3))
        let result = try await bench.burn(input, .text(srt(String(repeating: "word ", count: 10_000)))) {
            $0.limits.wallSeconds = 60
        }
        #expect(result.warnings.contains { $0.code == .subtitle })
        let error = await mediaError {
            try await bench.burn(input, .text(srt(String(repeating: "word ", count: 50_000))), to: "no.mkv")
        }
        #expect(error?.code == .resourceLimit && !bench.scratch.names.contains("no.mkv"))
    }

    @Test func `control characters, surrogates and direction marks do no harm`() async throws {
        let text = "a\u{0}b\u{7}\u{1B}[31mc\u{202E}d\u{2066}\u{FEFF}\u{FFFF}e\u{E0001}"
        let ink = try await bench.ink(srt(text))
        #expect(ink != nil)
    }
}
