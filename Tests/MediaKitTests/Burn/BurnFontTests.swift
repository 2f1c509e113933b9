import Foundation
import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: canDrawCaption("A"))) struct BurnFontTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func family(_ name: String) -> CaptionStyle {
        var style = CaptionStyle()
        style.fontFamily = name
        return style
    }

    @Test func `a family that is not there is a warning, and in strict an error that leaves nothing`() async throws {
        let input = try bench.put(burningClip())
        let result = try await bench.burn(input, .text(srt("Hello")), style: family("Kiln Imaginary Grotesk"))
        let warning = try #require(result.warnings.first { $0.code == .substitutedFont })
        #expect(warning.message.contains("Kiln Imaginary Grotesk"))
        let error = await mediaError {
            try await bench.burn(
                input, .text(srt("Hello")), to: "strict.mkv", style: family("Kiln Imaginary Grotesk")
            ) { $0.strictFonts = true }
        }
        #expect(error?.code == .notFound && error?.description.contains("Kiln Imaginary Grotesk") == true)
        #expect(bench.scratch.names == ["in.mkv", "out.mkv"])
    }

    @Test func `a character that no font has is a warning with its code point, and in strict an error`() async throws {
        let input = try bench.put(burningClip())
        // Private use: nobody draws it.
        let text = srt("Hello \u{10FFFD}")
        let result = try await bench.burn(input, .text(text))
        let warning = try #require(result.warnings.first { $0.code == .missingGlyph })
        #expect(warning.message.contains("U+10FFFD"))
        let error = await mediaError {
            try await bench.burn(input, .text(text), to: "strict.mkv") { $0.strictFonts = true }
        }
        #expect(error?.code == .notFound && !bench.scratch.names.contains("strict.mkv"))
    }

    @Test func `usual text in the usual font gives no warning, in strict too`() async throws {
        let result = try await bench.burn(try bench.put(burningClip()), .text(srt("Hello"))) { $0.strictFonts = true }
        #expect(result.warnings.isEmpty)
    }

    /// A font of the system under a family of its own: the name in its table is replaced.
    private static let renamedFont: [UInt8]? = {
        let paths = [
            "/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
            "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf", "/usr/share/fonts/TTF/DejaVuSans.ttf",
        ]
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }),
            var font = FileManager.default.contents(atPath: path)
        else { return nil }
        func utf16(_ text: String) -> Data { Data(text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }) }
        for (old, new) in [(Data("DejaVu".utf8), Data("Kilnyx".utf8)), (utf16("DejaVu"), utf16("Kilnyx"))] {
            var from = font.startIndex
            while let place = font.range(of: old, in: from..<font.endIndex) {
                font.replaceSubrange(place, with: new)
                from = place.upperBound
            }
        }
        return Array(font)
    }()

    @Test(.enabled(if: renamedFont != nil))
    func `a font file is used under its family's name`() async throws {
        let bytes = try #require(Self.renamedFont)
        let path = try bench.scratch.put("mine.ttf", bytes)
        let name = bytes.count > 0 ? try #require(familyName(bytes)) : ""
        let input = try bench.put(burningClip())
        let with = try await bench.burn(input, .text(srt("Hello")), to: "with.mkv", style: family(name)) {
            $0.fonts = [path]
            $0.strictFonts = true
        }
        #expect(with.warnings.isEmpty)
        let without = try await bench.burn(input, .text(srt("Hello")), to: "without.mkv", style: family(name))
        #expect(without.warnings.map(\.code) == [.substitutedFont])
        let made = try #require(try bench.look("with.mkv", pictureWidth: 4096).video?.frames.first?.luma)
        #expect(Ink(made, on: burningGray) != nil)
    }

    /// "Kilnyx Serif" or "Kilnyx Sans", whichever the file holds.
    private func familyName(_ bytes: [UInt8]) -> String? {
        ["Kilnyx Serif", "Kilnyx Sans"].first { name in
            Data(bytes).range(of: Data(name.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })) != nil
        }
    }

    @Test func `a font file that is none is a warning, one that is not there an error`() async throws {
        let input = try bench.put(burningClip())
        let noise = try bench.scratch.put("noise.ttf", (0..<5000).map { UInt8($0 * 37 % 251) })
        let result = try await bench.burn(input, .text(srt("Hello"))) { $0.fonts = [noise] }
        #expect(result.warnings.contains { $0.code == .substitutedFont && $0.message.contains("noise.ttf") })
        let error = await mediaError {
            try await bench.burn(input, .text(srt("Hello")), to: "no.mkv") { $0.fonts = [bench.scratch("none.ttf")] }
        }
        #expect(error?.code == .notFound && !bench.scratch.names.contains("no.mkv"))
    }

    @Test(arguments: [
        "مرحبا بالعالم", "שלום עולם", "سلام دنیا", "日本語の字幕です", "你好，世界", "안녕하세요 세계", "हिन्दी है", "สวัสดีชาวโลก",
        "Tiếng Việt ắ ằ", "e\u{301}a\u{310}", "Hello مرحبا 123", "😀 🎬 ☕️",
    ])
    func `text of every script is drawn, or reported as missing`(text: String) async throws {
        let result = try await bench.burn(try bench.put(burningClip()), .text(srt(text)))
        let luma = try #require(try bench.look("out.mkv", pictureWidth: 4096).video?.frames.first?.luma)
        let ink = Ink(luma, on: burningGray)
        if canDrawCaption(text) {
            #expect(result.warnings.isEmpty, "\(result.warnings)")
            #expect((ink?.count ?? 0) > 100)
            #expect(abs((ink?.middle.x ?? 0) - 320) < 8)
        } else {
            #expect(result.warnings.contains { $0.code == .missingGlyph })
        }
    }

    @Test(.enabled(if: canDrawCaption("שלום")))
    func `right-to-left text runs from right to left`() async throws {
        var style = CaptionStyle()
        style.fontSize = 0.2
        // A wide letter first: it stands on the right.
        let first = try await bench.picture(srt("ש ו"), style: style)
        let luma = try #require(first.first)
        let ink = try #require(Ink(luma, on: burningGray))
        let middle = Int(ink.middle.x)
        func count(_ columns: Range<Int>) -> Int {
            columns.reduce(0) { sum, x in sum + ink.rows.count { abs(Int(luma[x, $0]) - 100) > 8 } }
        }
        #expect(count(middle..<ink.columns.upperBound) > count(ink.columns.lowerBound..<middle))
    }
}
