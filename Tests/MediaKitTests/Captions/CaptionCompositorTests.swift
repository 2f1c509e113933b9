import Testing

@testable import MediaKit

@Suite(.enabled(if: canDrawCaption("A"))) struct CaptionCompositorTests {
    static let colors = "&H004080F0,&H000000FF,&H00C02010,&H60208040,0,0,0,0,100,100,0,0,1,3,4,2,10,10,20,1"

    static let layouts: [PixelLayout] = [
        PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt601),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt601, range: .full),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt709),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt709, range: .full),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 0, matrix: .bt709),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 0, log2ChromaHeight: 0, matrix: .bt709),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 2, log2ChromaHeight: 0, matrix: .bt601),
        PixelLayout(bitDepth: 10, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt2020),
        PixelLayout(bitDepth: 10, log2ChromaWidth: 1, log2ChromaHeight: 0, matrix: .bt709),
        PixelLayout(bitDepth: 10, log2ChromaWidth: 0, log2ChromaHeight: 0, matrix: .bt709, range: .full),
        PixelLayout(bitDepth: 12, log2ChromaWidth: 0, log2ChromaHeight: 0, matrix: .bt2020),
        PixelLayout(
            bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, arrangement: .semiPlanar, matrix: .bt709),
        PixelLayout(
            bitDepth: 10, log2ChromaWidth: 1, log2ChromaHeight: 1, arrangement: .semiPlanarHighBits, matrix: .bt2020),
        PixelLayout(bitDepth: 8, log2ChromaWidth: 0, log2ChromaHeight: 0, arrangement: .gray, matrix: .bt709),
        PixelLayout(
            bitDepth: 10, log2ChromaWidth: 0, log2ChromaHeight: 0, arrangement: .gray, matrix: .bt709, range: .full),
    ]

    /// The caption laid over one colour in R'G'B', in floating point, then converted and averaged over chroma boxes.
    static func reference(
        _ bitmaps: [CaptionBitmap], over background: (Double, Double, Double), layout: PixelLayout, width: Int,
        height: Int
    ) -> [[Double]] {
        var picture = [[Double]](repeating: [background.0, background.1, background.2], count: width * height)
        for bitmap in bitmaps {
            let color = [Double(bitmap.red), Double(bitmap.green), Double(bitmap.blue)]
            for y in 0..<bitmap.height {
                for x in 0..<bitmap.width {
                    let k = Double(bitmap.coverage[y * bitmap.stride + x]) / 255 * Double(bitmap.opacity) / 255
                    let at = (bitmap.y + y) * width + bitmap.x + x
                    for c in 0..<3 { picture[at][c] += (color[c] - picture[at][c]) * k }
                }
            }
        }
        let (kr, kb) = (layout.matrix.red, layout.matrix.blue)
        let top = Double(1 << layout.bitDepth) - 1
        let one = Double(1 << (layout.bitDepth - 8))
        var planes: [[Double]] = [[], [], []]
        for rgb in picture {
            let (r, g, b) = (rgb[0] / 255, rgb[1] / 255, rgb[2] / 255)
            let y = kr * r + (1 - kr - kb) * g + kb * b
            let (u, v) = ((b - y) / (1 - kb) / 2, (r - y) / (1 - kr) / 2)
            if layout.range == .full {
                planes[0].append(y * top)
                planes[1].append(128 * one + u * top)
                planes[2].append(128 * one + v * top)
            } else {
                planes[0].append((16 + 219 * y) * one)
                planes[1].append((128 + 224 * u) * one)
                planes[2].append((128 + 224 * v) * one)
            }
        }
        if layout.arrangement == .gray { return [planes[0]] }
        let chroma = CaptionTestPicture.chromaSize(layout, width, height)
        let (boxWidth, boxHeight) = (1 << layout.log2ChromaWidth, 1 << layout.log2ChromaHeight)
        for plane in 1...2 {
            let full = planes[plane]
            planes[plane] = (0..<chroma.width * chroma.height).map { index in
                let (x, y) = (index % chroma.width * boxWidth, index / chroma.width * boxHeight)
                var sum = 0.0
                var count = 0.0
                for row in y..<min(y + boxHeight, height) {
                    for column in x..<min(x + boxWidth, width) {
                        sum += full[row * width + column]
                        count += 1
                    }
                }
                return sum / count
            }
        }
        return planes
    }

    @Test(arguments: layouts.indices)
    func `coloured text agrees with a floating-point picture in RGB`(index: Int) throws {
        let layout = Self.layouts[index]
        let (width, height) = (322, 181)
        let renderer = try CaptionRenderer(
            script: captionTestScript(
                [dialogue(0, 1, "Ünder {\\c&H20E0F0&}yellow{\\r}\\N{\\alpha&H60&}half seen")], width: width,
                height: height,
                size: 30, style: Self.colors), geometry: CaptionGeometry(width: width, height: height))
        #expect(renderer.render(at: 500) == .changed)
        let compositor = try CaptionCompositor(layout: layout, width: width, height: height)
        compositor.update(from: renderer)
        var picture = CaptionTestPicture(layout, width: width, height: height, red: 40, green: 90, blue: 160)
        let before = picture
        #expect(picture.withPlanes { compositor.blend(into: $0) }, "wrote outside the picture")

        let bitmaps = renderer.bitmaps(frameWidth: width, frameHeight: height)
        let box = try #require(CaptionTestBox(bitmaps))
        let reference = Self.reference(bitmaps, over: (40, 90, 160), layout: layout, width: width, height: height)
        for plane in reference.indices {
            let columns = picture.width(ofPlane: plane)
            let (right, down) = plane == 0 ? (0, 0) : (layout.log2ChromaWidth, layout.log2ChromaHeight)
            var inside: [(Double, Double)] = []
            for index in picture.samples[plane].indices {
                let (x, y) = (index % columns, index / columns)
                let isInside =
                    (box.columns.lowerBound >> right...(box.columns.upperBound - 1) >> right).contains(x)
                    && (box.rows.lowerBound >> down...(box.rows.upperBound - 1) >> down).contains(y)
                if isInside {
                    inside.append((Double(picture.samples[plane][index]), reference[plane][index]))
                } else {
                    #expect(picture.samples[plane][index] == before.samples[plane][index])
                }
            }
            let quality = captionPSNR(inside, peak: Double(1 << layout.bitDepth) - 1)
            #expect(quality >= 52, "plane \(plane): \(quality) dB")
        }
    }

    @Test func `the space between a caption at the top and one at the bottom is not touched`() throws {
        let (width, height) = (640, 360)
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, "{\\an8}Top"), dialogue(0, 1, "{\\an2}Bottom")]),
            geometry: CaptionGeometry(width: width, height: height))
        #expect(renderer.render(at: 0) == .changed)
        let compositor = try CaptionCompositor(layout: Self.layouts[0], width: width, height: height)
        compositor.update(from: renderer)
        let rows = Set(compositor.lumaStretches.map(\.row))
        #expect(rows.contains { $0 < 80 } && rows.contains { $0 > 280 })
        #expect(!rows.contains { (100...260).contains($0) })
        #expect(compositor.coveredSamples < width * height / 10)
    }

    @Test func `the space between captions side by side is not touched`() throws {
        let (width, height) = (640, 360)
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, "{\\an1}Left"), dialogue(0, 1, "{\\an3}Right")]),
            geometry: CaptionGeometry(width: width, height: height))
        #expect(renderer.render(at: 0) == .changed)
        let compositor = try CaptionCompositor(layout: Self.layouts[0], width: width, height: height)
        compositor.update(from: renderer)
        let stretches = compositor.lumaStretches
        #expect(
            stretches.contains { $0.columns.upperBound < 160 } && stretches.contains { $0.columns.lowerBound > 480 })
        #expect(!stretches.contains { $0.columns.overlaps(200..<440) })
    }

    @Test func `an update replaces what was there`() throws {
        let geometry = CaptionGeometry(width: 640, height: 360)
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, "{\\an8}One"), dialogue(1, 2, "{\\an2}Two")]), geometry: geometry)
        let compositor = try CaptionCompositor(layout: Self.layouts[0], width: 640, height: 360)
        #expect(compositor.isEmpty)
        #expect(renderer.render(at: 0) == .changed)
        compositor.update(from: renderer)
        #expect(renderer.render(at: 1000) == .changed)
        compositor.update(from: renderer)
        #expect(!compositor.isEmpty && !compositor.lumaStretches.contains { $0.row < 180 })
    }

    @Test(arguments: [(1, 1), (3, 3), (17, 9), (33, 31), (65, 64)])
    func `tiny and odd pictures are drawn on within their bounds`(width: Int, height: Int) throws {
        let script = captionTestScript(
            [dialogue(0, 1, "{\\an7\\pos(-20,-20)\\fs80}█████")], width: width, height: height)
        let renderer = try CaptionRenderer(script: script, geometry: CaptionGeometry(width: width, height: height))
        #expect(renderer.render(at: 0) == .changed)
        for layout in Self.layouts {
            let compositor = try CaptionCompositor(layout: layout, width: width, height: height)
            compositor.update(from: renderer)
            var picture = CaptionTestPicture(layout, width: width, height: height, red: 90, green: 90, blue: 90)
            #expect(picture.withPlanes { compositor.blend(into: $0) })
        }
    }

    @Test func `layouts that cannot be drawn on are refused`() {
        for layout in [
            PixelLayout(bitDepth: 7, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt709),
            PixelLayout(bitDepth: 32, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt709),
            PixelLayout(bitDepth: 8, log2ChromaWidth: 5, log2ChromaHeight: 1, matrix: .bt709),
            PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .init(red: 0, blue: 0)),
        ] {
            #expect { try CaptionCompositor(layout: layout, width: 16, height: 16) } throws: {
                ($0 as? MediaError)?.code == .unsupported
            }
        }
    }

    @Test func `white and black meet the levels of their range`() {
        for matrix in [PixelLayout.Matrix.bt601, .bt709, .bt2020] {
            let limited = PixelLayout(bitDepth: 10, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: matrix)
            #expect(limited.samples(red: 255, green: 255, blue: 255).luma == 940)
            #expect(limited.samples(red: 0, green: 0, blue: 0).luma == 64)
            var full = limited
            full.range = .full
            #expect(full.samples(red: 255, green: 255, blue: 255).luma == 1023)
            #expect(full.samples(red: 0, green: 0, blue: 0).luma == 0)
        }
        // BT.709 red at 8 bits, limited: a published triple (63, 102, 240).
        let red = PixelLayout(bitDepth: 8, log2ChromaWidth: 1, log2ChromaHeight: 1, matrix: .bt709)
            .samples(red: 255, green: 0, blue: 0)
        #expect(red.luma.rounded() == 63 && red.cb.rounded() == 102 && red.cr.rounded() == 240)
    }
}
