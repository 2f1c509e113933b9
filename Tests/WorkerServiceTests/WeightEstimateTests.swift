import MediaKit
import Testing

@testable import Worker

@Suite struct WeightEstimateTests {
    private func cores(_ width: Int, _ height: Int, _ video: VideoSettings = VideoSettings()) -> Double {
        WeightEstimate(input: width * height, output: width * height, video: video).cores
    }

    @Test func `Small pictures take a core, large ones more, slow presets and newer codecs more still`() {
        #expect(cores(320, 180) == 1 && cores(1280, 720) == 1)
        #expect(cores(1920, 1080) == 2 && cores(3840, 2160) == 8)
        #expect(cores(1920, 1080, VideoSettings(codec: .hevc)) == 4)
        #expect(cores(1920, 1080, VideoSettings(preset: "slow")) == 4)
        #expect(cores(1920, 1080, VideoSettings(preset: "ultrafast")) == 1)
    }

    @Test func `Memory grows with both sides' pictures and their depth`() {
        func memory(_ input: Int, _ output: Int, _ bits: Int = 8) -> Int64 {
            WeightEstimate(input: input, output: output, bits: bits, video: VideoSettings()).memory
        }
        let hd = 1280 * 720, full = 1920 * 1080, ultra = 3840 * 2160
        #expect(memory(hd, hd) < memory(full, full) && memory(full, full) < memory(ultra, ultra))
        #expect(memory(ultra, hd) > memory(hd, hd) && memory(ultra, hd) < memory(ultra, ultra))
        #expect(memory(full, full, 10) > memory(full, full, 8))
        #expect(memory(hd, hd) < 512 << 20 && memory(ultra, ultra) < 4 << 30)
    }
}
