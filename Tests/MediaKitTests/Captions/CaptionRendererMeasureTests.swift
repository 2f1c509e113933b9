import Testing

@testable import MediaKit

@Suite(.enabled(if: canDrawCaption("A"))) struct CaptionRendererMeasureTests {
    @Test func `a text is as wide as its parts, spaces included`() throws {
        let measurer = try CaptionTextMeasurer()
        func width(_ text: String) -> Double { measurer.width(of: text, family: "DejaVu Sans") }
        #expect(width("") == 0)
        #expect(width("mm") > 1 && width("mm") > 1.9 * width("m"))
        #expect(abs(width("one two") - width("one") - width(" ") - width("two")) < 0.06)
        #expect(abs(width("   ") - 3 * width(" ")) < 0.06)
        #expect(width("i") < width("w"))
        #expect(measurer.width(of: "wide", family: "DejaVu Sans", bold: true) > width("wide"))
        #expect(width("{\\fs1}") > width("()"))
    }

    @Test func `a measured width is that of the rendered line`() throws {
        let measurer = try CaptionTextMeasurer()
        let text = "The quick brown fox"
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, text)], size: 40),
            geometry: CaptionGeometry(width: 640, height: 360))
        #expect(renderer.render(at: 0) == .changed)
        let box = try #require(CaptionTestBox(renderer.bitmaps(frameWidth: 640, frameHeight: 360)))
        // Two pixels of outline on each side.
        let expected = Double(box.columns.count - 4) / 40
        #expect(abs(measurer.width(of: text, family: "DejaVu Sans") - expected) < 0.15)
    }
}
