import MediaKit
import TestSupport
import Testing

struct TextTrackTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private let cues = [
        (start: 500, end: 1500, text: "First & <last>"), (start: 2000, end: 2600, text: "Zwei\nZeilen"),
    ]

    private func subtitles(_ cues: [(start: Int, end: Int, text: String)]) -> SubtitleInput {
        .text(
            "WEBVTT\n\n"
                + cues.map { cue in
                    let text = cue.text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
                    return "\(Self.clock(cue.start)) --> \(Self.clock(cue.end))\n\(text)\n\n"
                }.joined())
    }

    private static func clock(_ milliseconds: Int) -> String {
        let text = "\(milliseconds % 1000)"
        return "00:0\(milliseconds / 1000).\(String(repeating: "0", count: 3 - text.count))\(text)"
    }

    @Test(arguments: ["out.mp4", "out.mov", "out.mkv", "out.webm"])
    func `a text track is made with its words, times, language and flags`(name: String) async throws {
        let input = try bench.put(.ordinary(seconds: 3))
        let track = TextTrack(subtitles: subtitles(cues), language: "de", title: "Deutsch", isDefault: true)
        let result = try await bench.transcode(input, to: name) { $0.textTracks = [track] }

        let made = try #require(result.streams.first { $0.kind == "subtitle" })
        #expect(made.sourceIndex == nil && !made.copied)
        let info = try await bench.probe(bench.scratch(name))
        let stream = try #require(info.streams.first { $0.kind == "subtitle" })
        #expect(stream.language == (name.hasSuffix(".mov") ? "ger" : "deu"))
        #expect(stream.dispositions.contains("default"))

        let read = try #require(try bench.look(name).subtitles.first)
        let words = read.subtitles.map {
            $0.replacing("&amp;", with: "&").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
                // Parts what players would take for a tag.
                .replacing("\u{2060}", with: "")
        }
        #expect(words == cues.map(\.text))
        // MP4 fills the pauses with empty samples.
        let starts = read.packetTimes
        for cue in cues { #expect(starts.contains { abs($0 - Double(cue.start) / 1000) < 0.0015 }, "\(starts)") }
        // Picture and sound are as without it.
        try await bench.transcode(input, to: "without." + name)
        #expect(try bench.look(name).video?.frames.count == bench.look("without." + name).video?.frames.count)
    }

    @Test(arguments: ["out.mp4", "out.mkv", "out.webm"])
    func `cues at the same time are all there, and what looks like a tag is text`(name: String) async throws {
        let input = try bench.put(.ordinary(seconds: 3))
        let both = [
            (start: 0, end: 2500, text: "a long one"), (start: 1000, end: 2000, text: "<b>short</b>"),
            (start: 1000, end: 1500, text: "third"),
        ]
        try await bench.transcode(input, to: name) { $0.textTracks = [TextTrack(subtitles: subtitles(both))] }
        let read = try #require(try bench.look(name).subtitles.first)
        let words = read.subtitles.map { $0.replacing("\u{2060}", with: "") }
        guard name.hasSuffix(".mp4") else {
            #expect(words.count == 3 && words[1].contains("short") && words[1] != "short", "\(words)")
            return
        }
        let all = "a long one\n<b>short</b>"
        #expect(words == ["a long one", all + "\nthird", all, "a long one"], "\(words)")
        for time in [0, 1, 1.5, 2] { #expect(read.packetTimes.contains { abs($0 - time) < 0.0015 }) }
    }

    @Test func `a track keeps its place in a part, and ends with it`() async throws {
        let input = try bench.put(.ordinary(seconds: 3))
        let track = TextTrack(subtitles: subtitles(cues))
        let result = try await bench.transcode(input, to: "part.mkv") {
            ($0.start, $0.end) = (1, 2.3)
            $0.textTracks = [track]
        }
        let read = try #require(try bench.look("part.mkv").subtitles.first)
        #expect(read.packetTimes == [0, 1])
        #expect(abs(result.duration - 1.3) < 0.03)
    }

    @Test func `words that are burnt in may be carried along as well`() async throws {
        let input = try bench.put(.ordinary(seconds: 3, width: 320, height: 180))
        let text = subtitles(cues)
        try await bench.burn(input, text, to: "both.mp4") { $0.textTracks = [TextTrack(subtitles: text)] }
        #expect(try bench.look("both.mp4").subtitles.first?.subtitles.count == 2)
    }

    @Test func `containers without text tracks, and ASS, are refused`() async throws {
        let input = try bench.put(.ordinary(seconds: 1))
        let inStream = await mediaError {
            try await bench.transcode(input, to: "out.ts") { $0.textTracks = [TextTrack(subtitles: subtitles(cues))] }
        }
        #expect(inStream?.code == .unsupported)
        // Before anything is read.
        #expect(throws: MediaError.self) {
            try Transcode(input: "nowhere.mkv", output: "out.ts", textTracks: [TextTrack(subtitles: subtitles(cues))])
                .validate()
        }
        let script = """
            [Script Info]
            ScriptType: v4.00+
            [V4+ Styles]
            Format: Name, Fontname, Fontsize
            Style: Default,Sans,20
            [Events]
            Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
            Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,Hello
            """
        let styled = await mediaError {
            try await bench.transcode(input, to: "out.mp4") { $0.textTracks = [TextTrack(subtitles: .text(script))] }
        }
        #expect(styled?.code == .unsupported)
        #expect(bench.scratch.names == ["in.mkv"])
    }
}
