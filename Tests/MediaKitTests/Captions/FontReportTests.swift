import Glibc
import Testing

@testable import MediaKit

@Suite(.enabled(if: canDrawCaption("A"))) struct FontReportTests {
    static func report(_ text: String, family: String = "DejaVu Sans", fonts: [FontFile] = []) throws -> FontReport {
        try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, text)], family: family), fonts: fonts,
            geometry: CaptionGeometry(width: 640, height: 360)
        ).fontReport
    }

    @Test func `a family that is not installed is reported with its stand-in`() throws {
        let report = try Self.report("Hello", family: "Kiln Imaginary Grotesk")
        #expect(report.substitutions.map(\.requested) == ["Kiln Imaginary Grotesk"])
        #expect(report.substitutions.first?.actual.isEmpty == false)
        #expect(report.warnings.first?.contains("Kiln Imaginary Grotesk") == true)
    }

    @Test(.enabled(if: canDrawCaption("A")))
    func `a family that is installed is not reported`() throws {
        // Whatever stands in for an imaginary family is installed under the name that is reported.
        let actual = try #require(try Self.report("Hello", family: "Kiln Imaginary Grotesk").substitutions.first).actual
        #expect(try Self.report("Hello", family: actual).isClean)
        #expect(try Self.report("Hello", family: actual.uppercased()).isClean)
        #expect(try Self.report("Hello", family: "sans-serif").isClean)
    }

    @Test func `families named inside the text are looked at too`() throws {
        let report = try Self.report("a{\\fnKiln Nowhere, Sans}b{\\fn}c{\\b1\\fnKiln Nothing}d")
        #expect(report.substitutions.map(\.requested).suffix(2) == ["Kiln Nowhere, Sans", "Kiln Nothing"])
    }

    @Test func `a character that no font has is reported with its code point`() throws {
        // Planes 15 and 16 are private use: no system font draws their last characters.
        let report = try Self.report("a\u{10FF00}b{\\p1}m 0 0 l 1 1{\\p0}\u{FFF00}")
        let missing = try #require(report.missing.first)
        #expect(missing.family == "DejaVu Sans")
        #expect(missing.codePoints == [0xFFF00, 0x10FF00])
        #expect(report.warnings.contains { $0.contains("U+FFF00") && $0.contains("U+10FF00") })
    }

    @Test func `spaces, joiners and variation selectors are not missing`() throws {
        #expect(try Self.report("a b\\Nc\\hd\u{200D}e\u{FE0F}f\u{200F}g").missing.isEmpty)
    }

    @Test func `rendering after the report looks as if there had been none`() throws {
        let script = captionTestScript([dialogue(0, 1, "Hello")])
        let first = try CaptionRenderer(script: script, geometry: CaptionGeometry(width: 640, height: 360))
        #expect(first.render(at: 0) == .changed)
        #expect(first.eventCount == 1)
        #expect(first.takeWarnings().isEmpty)
    }

    @Test(.enabled(if: renamedFont() != nil))
    func `a font in memory is found by its family`() throws {
        // Any installed font will do, provided that its family is not found otherwise: so it is renamed.
        let bytes = try #require(Self.renamedFont())
        let font = FontFile(name: "renamed.ttf", bytes: bytes)
        #expect(try Self.report("Hello", family: "XejaVu Sans").substitutions.count == 1)
        #expect(try Self.report("Hello", family: "XejaVu Sans", fonts: [font]).isClean)
    }

    /// DejaVu Sans with the first letter of its names changed; nil where it is not installed.
    static func renamedFont() -> [UInt8]? {
        let path = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        let wide: [UInt8] = "DejaVu".utf8.flatMap { [UInt8(0), $0] }
        let narrow: [UInt8] = Array("DejaVu".utf8)
        for pattern in [wide, narrow] {
            let letter = pattern.count - narrow.count > 0 ? 1 : 0
            var at = 0
            while at + pattern.count <= bytes.count {
                if bytes[at + letter] == UInt8(ascii: "D"), bytes[at..<at + pattern.count].elementsEqual(pattern) {
                    bytes[at + letter] = UInt8(ascii: "X")
                }
                at += 1
            }
        }
        return bytes
    }

    @Test func `a font file without outlines is reported by its name`() throws {
        let report = try Self.report("Hello", fonts: [FontFile(name: "noise.ttf", bytes: [1, 2, 3])])
        #expect(report.unusableFonts == ["noise.ttf"])
        #expect(!report.isClean && report.warnings.contains { $0.contains("noise.ttf") })
    }

    @Test func `libass's messages are read as it writes them`() {
        #expect(
            FontMessageReader.choice(in: "fontselect: (A, b), 400, 0) -> /usr/x, y.ttf, 2, Name-Bold")
                == .init(font: "/usr/x, y.ttf", index: 2, postScriptName: "Name-Bold"))
        #expect(
            FontMessageReader.choice(in: "fontselect: (Arial, 400, 0) -> Family, 0, (none)")
                == .init(font: "Family", index: 0, postScriptName: nil))
        #expect(FontMessageReader.choice(in: "fontselect: nothing") == nil)
        #expect(FontMessageReader.codePoint(in: "Glyph 0x1F600 not found", after: "Glyph 0x") == 0x1F600)
    }

    @Test(.enabled(if: renamedFont() != nil))
    func `damaged font files are no fonts, or fonts without names`() throws {
        var random = CaptionTestRandom(seed: 3)
        let font = try #require(Self.renamedFont())
        #expect(FontFacts(bytes: font, index: 0)?.names.first == "XejaVu Sans")
        #expect(FontFacts(bytes: font, index: 0)?.hasOutlines == true)
        #expect(FontFacts(bytes: Array(font.prefix(11)), index: 0) == nil)
        for _ in 0..<300 {
            var damaged = Array(font.prefix(2000))
            for _ in 0..<10 {
                damaged[Int(random.next() % 400)] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = FontFacts(bytes: damaged, index: Int(random.next() % 3))
        }
    }
}
