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

    @Test func `A wave weighs what its frame is, and a single picture what is held of the sound`() throws {
        let small = try #require(Waveform(input: "a", output: "a.mp4").estimate([:]))
        let large = try #require(Waveform(input: "a", output: "a.mp4", width: 3840, height: 2160).estimate([:]))
        #expect(small.cores == 1 && large.cores == 8 && large.memory > 2 * small.memory)
        let film = Waveform(input: "a", output: "a.mp4"), still = Waveform(input: "a", output: "a.png")
        #expect(film.weighedInputs.isEmpty && still.weighedInputs == ["a"])
    }

    @Test func `What loops is looked at before it is mixed, and nothing else`() {
        let mix = MixAudio(
            inputs: [MixInput(input: "speech"), MixInput(input: "music", loop: true)], output: "a.m4a")
        #expect(mix.weighedInputs == ["music"])
        let music = MixInput(input: "music", start: 10, end: 70, loop: true)
        #expect(music.heldBytes(seconds: 600, sampleRate: 48_000, channels: 2) == 60 * 48_000 * 8)
        #expect(music.heldBytes(seconds: 20, sampleRate: 48_000, channels: 2) == 10 * 48_000 * 8)
        // Where nobody knows how long it is, it may be as much as is let in.
        let endless = MixInput(input: "music", loop: true)
        for (rate, channels) in [(48_000, 2), (192_000, 8), (8000, 1)] {
            #expect(endless.heldBytes(seconds: nil, sampleRate: rate, channels: channels) <= 461_000_000)
        }
    }
}
