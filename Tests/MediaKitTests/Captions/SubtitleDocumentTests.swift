import Foundation
import MediaKit
import Testing

@Suite struct `Subtitle files` {
    @Test(arguments: [
        ("<?xml version=\"1.0\"?>\n<tt xmlns=\"http://www.w3.org/ns/ttml\"><body/></tt>", "TTML"),
        ("{\"cues\": []}", "JSON"),
        ("[{\"start\": 1}]", "JSON"), ("{1}{25}MicroDVD", "MicroDVD"), ("<SAMI><BODY>", "SAMI"),
        ("[00:12.00]la la", "LRC"), ("Scenarist_SCC V1.0", "SCC"), ("#EXTM3U\n", "playlist"),
        ("just a text\n", "known here"),
        ("\u{1A}\u{45}\u{01}\u{02}\u{03}\u{04}\u{05}\u{06}", "not text"), ("RIFF....AVI ", "AVI"),
        ("....ftypisom", "MP4"),
    ])
    func `other formats are unsupported, by name`(text: String, kind: String) throws {
        let error = try #require(SubtitleFixtures.error(Array(text.utf8), name: "captions"))
        #expect(error.code == .unsupported)
        #expect(error.description.contains(kind) && error.description.contains("captions"))
    }

    @Test(arguments: ["", " \r\n\n", "\u{FEFF}"]) func `an empty file is bad input`(text: String) throws {
        let error = try #require(SubtitleFixtures.error(Array(text.utf8), name: "none.srt"))
        #expect(error.code == .badInput)
        #expect(error.description == "none.srt: the subtitle file is empty")
    }

    @Test(arguments: ["WEBVTT\n\nNOTE nothing\n", "1\n00:00:02,000 --> 00:00:01,000\nx\n", "WEBVTT"])
    func `a file without a usable cue is bad input`(text: String) throws {
        let error = try #require(SubtitleFixtures.error(Array(text.utf8)))
        #expect(error.code == .badInput)
        #expect(error.message.contains("no usable cue"))
    }

    @Test func `the format is told by the content, whatever the name`() throws {
        #expect(try SubtitleFixtures.parse("WEBVTT\n\n00:01.000 --> 00:02.000\nx", name: "a.srt").format == .webVTT)
        #expect(try SubtitleFixtures.parse("1\n00:00:01,000 --> 00:00:02,000\nx", name: "a.ass").format == .srt)
        let headless = try SubtitleFixtures.parse("00:00:01.000 --> 00:00:02.000\nx", name: "a.vtt")
        #expect(headless.format == .srt)
        #expect(headless.warnings.map(\.line) == [1])
    }

    @Test func `limits end in an error of their own`() {
        var limits = SubtitleLimits()
        limits.cues = 2
        limits.bytes = 1000
        limits.lines = 100
        limits.cueBytes = 50
        let cue = "1\n00:00:01,000 --> 00:00:02,000\nx\n\n"
        func code(_ text: String) -> MediaError.Code? { SubtitleFixtures.error(Array(text.utf8), limits: limits)?.code }
        #expect(code(cue + cue) == nil)
        #expect(code(cue + cue + cue) == .resourceLimit)
        #expect(
            code(
                "WEBVTT\n\n" + cue.replacing(",", with: ".") + cue.replacing(",", with: ".")
                    + cue.replacing(",", with: ".")) == .resourceLimit)
        #expect(code(cue + String(repeating: " ", count: 1000)) == .resourceLimit)
        #expect(code(cue + String(repeating: "\n", count: 200)) == .resourceLimit)
        #expect(code("1\n00:00:01,000 --> 00:00:02,000\n" + String(repeating: "x", count: 60)) == .resourceLimit)
    }

    @Test func `warnings are counted, not listed without end`() throws {
        let bad = String(repeating: "1\n00:00:02,000 --> 00:00:01,000\nx\n\n", count: 500)
        let document = try SubtitleFixtures.parse(bad + "1\n00:00:01,000 --> 00:00:02,000\nx\n")
        #expect(document.warnings.count == 201)
        #expect(document.warnings.last?.message.contains("300 more") == true)
    }

    @Test(.enabled(if: SubtitleFixtures.isThere)) func `every sample file is read or refused for a reason`() throws {
        let files = try SubtitleFixtures.files()
        #expect(files.count > 10)
        for url in files {
            let name = url.lastPathComponent
            let bytes = try SubtitleFixtures.bytes(of: url)
            do {
                let document = try SubtitleDocument.parse(bytes, name: name)
                #expect(name != "empty.srt" && !name.hasSuffix(".xml"))
                for cue in document.cues {
                    #expect(cue.end > cue.start && !cue.text.isEmpty && cue.line > 0, "\(name)")
                }
                let frame = CaptionCanvas(width: 1280, height: 720)
                let script = try ASSWriter(style: CaptionStyle(), geometry: frame).write(document.cues).script
                #expect(script.events.count >= document.cues.count, "\(name)")
            } catch {
                #expect(
                    name == "empty.srt"
                        ? error.code == .badInput : name.hasSuffix(".xml") && error.code == .unsupported, "\(name)")
            }
        }
    }

    @Test(
        .enabled(if: SubtitleFixtures.isThere),
        arguments: [
            ("count_de.srt", 5, TextEncoding.utf8), ("windows1252.srt", 29, .windows1252),
            ("utf16le_bom.srt", 29, .utf16LittleEndian),
            ("multilang_utf8.srt", 22, .utf8), ("multilang_utf8.vtt", 22, .utf8),
            ("tears_of_steel_fa_rtl.vtt", 69, .utf8),
            ("malformed_bad_timestamps.srt", 1, .utf8), ("malformed_unexpected_end.srt", 2, .utf8),
            ("malformed_mess.srt", 1, .windows1252), ("webvtt_positioning.vtt", 8, .utf8),
        ])
    func `sample files give their cues`(name: String, cues: Int, encoding: TextEncoding) throws {
        let document = try SubtitleFixtures.document(name)
        #expect(document.cues.count == cues)
        #expect(document.encoding == encoding)
    }

    @Test(.enabled(if: SubtitleFixtures.isThere)) func `the same text is read in every encoding`() throws {
        let texts = try ["windows1252.srt", "utf16le_bom.srt"].map {
            try SubtitleFixtures.document($0).cues.map(\.text)
        }
        #expect(texts[0] == texts[1])
        #expect(texts[0].contains { $0.contains("“Curly quotes”") && $0.contains("5 €") })
    }
}
