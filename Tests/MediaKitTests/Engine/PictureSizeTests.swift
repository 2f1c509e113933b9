import Testing

@testable import MediaKit

@Suite("The size of pictures")
struct PictureSizeTests {
    private func resolve(
        _ size: PictureSize, _ width: Int, _ height: Int, aspect: Rational = Rational(1, 1), even: Bool = true
    ) -> [Int] {
        let result = size.resolve(width: width, height: height, aspect: aspect, even: even)
        return [result.width, result.height] + (result.crop.map { [$0.width, $0.height] } ?? [])
    }

    @Test("contain keeps the shape and all of the picture")
    func contain() {
        #expect(resolve(PictureSize(width: 640, height: 640), 1920, 1080) == [640, 360])
        #expect(resolve(PictureSize(width: 640, height: 640), 1080, 1920) == [360, 640])
        #expect(resolve(PictureSize(width: 640), 1920, 1080) == [640, 360])
        #expect(resolve(PictureSize(height: 360), 1920, 1080) == [640, 360])
        #expect(resolve(PictureSize(height: 480), 2160, 3840) == [270, 480])
    }

    @Test("cover fills the box and cuts evenly")
    func cover() {
        #expect(resolve(PictureSize(width: 500, height: 500, fit: .cover), 1920, 1080) == [500, 500, 1080, 1080])
        #expect(resolve(PictureSize(width: 640, height: 360, fit: .cover), 1920, 1080) == [640, 360])
    }

    @Test("stretch fills the box and bends the picture")
    func stretch() {
        #expect(resolve(PictureSize(width: 500, height: 500, fit: .stretch), 1920, 1080) == [500, 500])
    }

    @Test("nothing is enlarged unless asked", arguments: PictureSize.Fit.allCases)
    func enlarging(fit: PictureSize.Fit) {
        #expect(resolve(PictureSize(width: 1280, height: 720, fit: fit), 640, 360) == [640, 360])
        #expect(resolve(PictureSize(width: 1280, height: 720, fit: fit, enlarge: true), 640, 360) == [1280, 720])
    }

    @Test("sides become even, and at least 2, unless any will do")
    func even() {
        #expect(resolve(PictureSize(width: 101, height: 101), 300, 300) == [102, 102])
        #expect(resolve(PictureSize(width: 101, height: 101), 300, 300, even: false) == [101, 101])
        #expect(resolve(PictureSize(width: 16), 4000, 10) == [16, 2])
    }

    @Test("pixels that are not square become square")
    func aspect() {
        // PAL widescreen: 720×576 shown as 1024×576.
        #expect(resolve(PictureSize(height: 576), 720, 576, aspect: Rational(64, 45)) == [1024, 576])
        #expect(resolve(PictureSize(width: 512), 720, 576, aspect: Rational(64, 45)) == [512, 288])
    }
}
