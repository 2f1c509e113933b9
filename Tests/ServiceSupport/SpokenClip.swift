import Foundation
package import MediaKit
package import ProviderTestSupport
package import TestSupport

/// Gray pictures under bursts of noise, each of which is a word whose times are known: with a recogniser that knows the
/// recording, what becomes of speech can be looked at word by word.
package struct SpokenClip: Sendable {
    /// The luma of all pictures, chroma being neutral.
    package static let gray: UInt8 = 100

    package let words: [Transcript.Word]
    /// 16 kHz, one channel.
    package let samples: [Int16]
    package let seconds: Double

    /// - Parameters:
    ///   - words: said from 0.5 s on, one every 0.6 s, each for 0.5 s.
    ///   - seed: another one sounds otherwise.
    package init(
        _ words: [String] = ["one", "two", "three", "four.", "five", "six."], seconds: Double = 4.4, seed: UInt64 = 1
    ) {
        self.seconds = seconds
        var state = seed
        func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 40) / Double(1 << 24)
        }
        var samples = [Int16](repeating: 0, count: Int(seconds * 16_000))
        self.words = words.enumerated().map { index, text in
            let start = 0.5 + 0.6 * Double(index)
            let level = 4000 + 8000 * next(), count = 8000
            var smooth = 0.0
            for sample in 0..<count where Int(start * 16_000) + sample < samples.count {
                smooth = 0.6 * smooth + next() - 0.5
                let shape = 0.3 + sin(.pi * Double(sample) / Double(count))
                samples[Int(start * 16_000) + sample] = Int16(max(-32_000, min(32_000, smooth * level * shape)))
            }
            return Transcript.Word(start: start, end: start + 0.5, text: text)
        }
        self.samples = samples
    }

    package var recording: KnownRecording { KnownRecording(pcm: samples, words: words) }

    /// The service that recognises it.
    package func service() throws -> OpenAIStandIn {
        let recording = recording
        return try OpenAIStandIn { samples, _ in recording(samples) }
    }

    /// A video of it; without pictures if the width is 0.
    package func clip(width: Int = 320, height: Int = 180) -> TestClip {
        let samples = samples
        let sound = TestClip.Audio(seconds: seconds, sampleRate: 16_000) { time, _ in
            let index = Int((time * 16_000).rounded())
            return samples.indices.contains(index) ? Double(samples[index]) / 32_767 : 0
        }
        guard width > 0 else { return TestClip(audio: [sound]) }
        var video = TestClip.Video(frames: Int(seconds * 25), width: width, height: height)
        video.luma = { _, _, _ in Self.gray }
        return TestClip(video: video, audio: [sound])
    }

    /// The same as the film of a phone that was held upright: MP4 whose pictures are to be turned by a quarter.
    package func phoneMovie() async throws -> [UInt8] {
        let bench = try Workbench()
        // Without loss: of noise, an AAC encoder keeps no more than how loud it is.
        let source = try bench.put(clip(), as: "source.mkv"), path = bench.scratch("movie.mp4")
        try await bench.transcode(source, to: "movie.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 12, gopSeconds: 1)
            $0.audio.codec = .flac
        }
        var bytes = FileManager.default.contents(atPath: path).map(Array.init) ?? []
        // The first track's header: after its name 40 bytes of version, times and the like, then a matrix of 16.16.
        guard let name = bytes.firstRange(of: Array("tkhd".utf8)) else { throw BenchFailure("no track in \(path)") }
        let turned: [Int32] = [0, 1 << 16, 0, -1 << 16, 0, 0]
        for (index, value) in turned.enumerated() {
            for byte in 0..<4 {
                bytes[name.upperBound + 40 + index * 4 + byte] = UInt8(
                    truncatingIfNeeded: value >> Int32(24 - 8 * byte))
            }
        }
        return bytes
    }
}

/// What captions are seen in pictures that would be gray all over.
extension DecodedStream {
    /// The picture that is shown at a second of the file.
    package func frame(at second: Double) -> DecodedFrame? {
        let times = times
        return times.indices.last { times[$0] <= second + 1e-6 }.map { frames[$0] }
    }

    /// Whether anything is drawn at a second, in these parts of the picture.
    package func hasInk(at second: Double, _ rows: ClosedRange<Double> = 0...1) -> Bool {
        guard let luma = frame(at: second)?.luma else { return false }
        let part = luma.rows(Int(rows.lowerBound * Double(luma.height))..<Int(rows.upperBound * Double(luma.height)))
        return part.samples.contains { abs(Int($0) - Int(SpokenClip.gray)) > 60 }
    }

    /// The columns in which a second's picture is blue, which captions are where a test has a word light up so: of the
    /// plane of that colour. `nil` where nothing is.
    package func blue(at second: Double) -> ClosedRange<Int>? { colored(at: second, plane: 1) }
    package func red(at second: Double) -> ClosedRange<Int>? { colored(at: second, plane: 2) }

    private func colored(at second: Double, plane: Int) -> ClosedRange<Int>? {
        guard let planes = frame(at: second)?.planes, planes.indices.contains(plane) else { return nil }
        let picture = planes[plane]
        let hits = (0..<picture.width).filter { x in (0..<picture.height).contains { picture[x, $0] > 160 } }
        guard let first = hits.first, let last = hits.last else { return nil }
        return first...last
    }
}
