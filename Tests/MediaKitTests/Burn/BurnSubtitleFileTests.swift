import MediaKit
import TestSupport
import Testing

/// Every subtitle file of the media folder, onto a clip that shows a picture each quarter of a second.
@Suite(.enabled(if: Media.isPresent && canDrawCaption("A"))) struct BurnSubtitleFileTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private static let refused: [String: MediaError.Code] = [
        "empty.srt": .badInput, "ttml_simple.xml": .unsupported,
    ]
    /// Warnings about the text itself, beside those about fonts.
    private static let faulty: Set<String> = [
        "malformed_mess.srt", "malformed_bad_timestamps.srt", "tags_and_positions.srt", "malformed_unexpected_end.srt",
        // A colon before the hundredths, cues without text, a setting that is none.
        "ssa_positioning.ass", "tears_of_steel_fa_rtl.vtt", "webvtt_positioning.vtt",
    ]
    private static let files = Media.files(in: "subs").map { String($0.dropFirst("subs/".count)) }

    private static let clip: [UInt8] = {
        var video = TestClip.Video(times: (0..<128).map { $0 * 250 }, width: 320, height: 180)
        video.luma = { _, _, _ in burningGray }
        return TestClip(video: video).bytes
    }()

    private func input() throws -> String { try bench.scratch.put("in.mkv", Self.clip) }

    @Test(arguments: files.filter { refused[$0] == nil })
    func `good and mendable subtitles are burnt in`(name: String) async throws {
        let result = try await bench.burn(try input(), .file(Media.file("subs/\(name)")))
        let frames = try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
        #expect(frames.count == 128)
        let captioned = frames.count { Ink($0.luma, on: burningGray) != nil }
        #expect(captioned > 0)
        let about = result.warnings.filter { $0.code == .subtitle }
        if name.hasPrefix("malformed_") && name != "malformed_unexpected_end.srt" {
            #expect(about.contains { $0.message.contains("line ") }, "\(result.warnings)")
        }
        if !Self.faulty.contains(name) { #expect(about.isEmpty, "\(about)") }
    }

    @Test(arguments: files.filter { refused[$0] != nil })
    func `what holds no captions is refused by name and leaves nothing`(name: String) async throws {
        let error = await mediaError {
            try await bench.burn(try input(), .file(Media.file("subs/\(name)")))
        }
        #expect(error?.code == Self.refused[name] && error?.description.contains(name) == true)
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test func `a style's missing font is named`() async throws {
        let result = try await bench.burn(try input(), .file(Media.file("subs/multilang_styled.ass")))
        #expect(result.warnings.contains { $0.code == .substitutedFont && $0.message.contains("NoSuchFont Pro") })
    }

    @Test func `text in Windows-1252 and UTF-16 gives the pictures of the same text in UTF-8`() async throws {
        let text = "1\n00:00:00,000 --> 00:00:02,000\n„Größe“ – ¿señor? €\n"
        // Windows-1252 for those above ASCII.
        let table: [Unicode.Scalar: UInt8] = [
            "„": 0x84, "ö": 0xF6, "ß": 0xDF, "“": 0x93, "–": 0x96, "¿": 0xBF, "ñ": 0xF1, "€": 0x80,
        ]
        let files: [(String, [UInt8])] = [
            ("utf8.srt", Array(text.utf8)),
            ("1252.srt", text.unicodeScalars.map { table[$0] ?? UInt8($0.value) }),
            ("bom.srt", [0xEF, 0xBB, 0xBF] + Array(text.utf8)),
            ("utf16.srt", [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }),
        ]
        var pictures: [[UInt8]] = []
        let input = try input()
        for (name, bytes) in files {
            try bench.scratch.put(name, bytes)
            try await bench.burn(input, .file(bench.scratch(name)))
            pictures.append(
                try #require(try bench.look("out.mkv", pictureWidth: 4096).video?.frames.first?.luma.samples))
        }
        #expect(Set(pictures).count == 1)
    }
}
