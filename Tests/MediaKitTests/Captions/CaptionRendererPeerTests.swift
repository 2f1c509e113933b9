import CAVShim
import Testing

@testable import MediaKit

@Suite(.enabled(if: canDrawCaption("A") && avfilter_get_by_name("ass") != nil)) struct CaptionRendererPeerTests {
    @Test(arguments: [(AV_PIX_FMT_YUV420P, 1, 1), (AV_PIX_FMT_YUV422P, 1, 0), (AV_PIX_FMT_YUV444P, 0, 0)])
    func `white text on a black outline agrees with libavfilter`(
        format: AVPixelFormat, log2Width: Int, log2Height: Int
    ) throws {
        let (width, height) = (640, 360)
        let script = captionTestScript([
            dialogue(0, 2, "The quick brown fox jumps\\Nover the lazy dog"), dialogue(0, 2, "{\\an8}Top, {\\i1}italic"),
        ])
        let peer = try #require(PeerCaptionFilter(script: script, width: width, height: height, format: format))
        let layout = PixelLayout(
            bitDepth: 8, log2ChromaWidth: log2Width, log2ChromaHeight: log2Height, matrix: .bt601)
        var random = CaptionTestRandom(seed: 4)
        var picture = CaptionTestPicture(layout, width: width, height: height, red: 90, green: 120, blue: 60)
        // A ramp with noise: text over anything.
        for index in picture.samples[0].indices {
            picture.samples[0][index] = UInt16(16 + index % width * 200 / width) + UInt16(random.next() % 20)
        }
        let theirs = try #require(peer.draw(picture, at: 1000, format: format))

        let renderer = try CaptionRenderer(script: script, geometry: CaptionGeometry(width: width, height: height))
        #expect(renderer.render(at: 1000) == .changed)
        let compositor = try CaptionCompositor(layout: layout, width: width, height: height)
        compositor.update(from: renderer)
        var ours = picture
        #expect(ours.withPlanes { compositor.blend(into: $0) })

        let bitmaps = renderer.bitmaps(frameWidth: width, frameHeight: height)
        var boxes = [[CaptionBitmap]](repeating: [], count: 2)
        for bitmap in bitmaps { boxes[bitmap.y < height / 2 ? 0 : 1].append(bitmap) }
        for box in boxes.compactMap(CaptionTestBox.init) {
            for plane in 0..<3 {
                let (right, down) = plane == 0 ? (0, 0) : (log2Width, log2Height)
                var pairs: [(Double, Double)] = []
                for y in box.rows.lowerBound >> down..<box.rows.upperBound >> down {
                    for x in box.columns.lowerBound >> right..<box.columns.upperBound >> right {
                        pairs.append((Double(ours.sample(plane, x, y)), Double(theirs.sample(plane, x, y))))
                    }
                }
                let quality = captionPSNR(pairs, peak: 255)
                #expect(quality >= 45, "plane \(plane): \(quality) dB")
            }
        }
        // Elsewhere neither of us touches anything.
        let inside = boxes.compactMap(CaptionTestBox.init)
        for y in 0..<height {
            for x in 0..<width where !inside.contains(where: { $0.contains(x, y) }) {
                #expect(ours.sample(0, x, y) == theirs.sample(0, x, y))
            }
        }
    }
}
