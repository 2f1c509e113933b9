import CAVShim
import Glibc
import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: Media.isPresent)) struct ExtractMediaTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func `of a film only the sound is read`() async throws {
        let source = try CountingSource(path: Media.file("video/highway_1080p25_30s.mp4"))
        let engine = MediaEngine(resolver: BoundResolver(sources: ["film": source]))
        let result = try await engine.run(ExtractAudio(input: "film", output: bench.scratch("out.m4a")))
        #expect(result.copied)
        let sound = packets(of: AVMEDIA_TYPE_AUDIO, in: bench.scratch("out.m4a")).reduce(0) { $0 + $1.count }
        #expect(sound > 400_000)
        let index = 64 << 10
        #expect(source.bytesRead <= Int64(sound) * 12 / 10 + Int64(index), "\(source.bytesRead) bytes were read")
        #expect(result.bytesRead == source.bytesRead)
    }

    @Test func `for speech, too, only the sound is read`() async throws {
        let source = try CountingSource(path: Media.file("video/highway_1080p25_30s.mp4"))
        let engine = MediaEngine(resolver: BoundResolver(sources: ["film": source]))
        let result = try await engine.run(
            ExtractAudio(input: "film", output: bench.scratch("out.wav"), preset: .speech))
        let info = try await bench.probe(Media.file("video/highway_1080p25_30s.mp4"))
        let sound = info.streams.first { $0.kind == "audio" }
        #expect(abs(result.duration - (sound?.duration ?? 0)) < 0.05)
        #expect(source.bytesRead < 700_000, "\(source.bytesRead) bytes were read")
    }

    @Test(arguments: Media.files(in: "audio").filter { !$0.hasSuffix(".txt") && !$0.hasSuffix(".srt") })
    func `every sound file can be extracted for speech`(name: String) async throws {
        let info = try await bench.probe(Media.file(name))
        let expected = try #require(info.duration)
        // A minute of the long ones is enough.
        let end = min(expected, 60)
        let result = try await bench.extract(Media.file(name), to: "out.wav") {
            $0.preset = .speech
            if expected > 60 { $0.end = 60 }
        }
        let made = try bench.sound("out.wav")
        #expect(made.sampleRate == 16_000 && made.channels == 1)
        #expect(abs(Double(made.samples[0].count) / 16_000 - end) < 0.1, "\(name): \(result.duration) of \(end) s")
        // That with the cover holds hardly more than nothing.
        if !name.contains("cover") { #expect(rms(made.sound(0...end)) > 0.005, "\(name) is silent") }
    }

    /// Seconds of the stream's clock at which it is first louder than -40 dB. Its timestamps may have gaps.
    private func firstSound(_ stream: DecodedStream) -> Double? {
        guard var index = stream.samples.first?.firstIndex(where: { abs($0) > 0.01 }) else { return nil }
        for (frame, time) in zip(stream.frames, stream.times) {
            if index < frame.sampleCount { return time + Double(index) / Double(stream.sampleRate) }
            index -= frame.sampleCount
        }
        return nil
    }

    @Test(arguments: [
        "bframes_editlist_480p.mp4", "friday_480p_speech.mp4", "iphone_rot90_hevc10_editlist.mp4",
        "phone_rot90_h264_2s.mov", "h264_pcm_1080p50.mov", "mpeg2_1080p.ts", "mpeg4_mp3.avi", "av1_720p.mp4",
        "bbb_open_1080p24_20s_51.mp4", "mkv_ass_subtitle.mkv", "nasa_2video_2audio_2sub.mp4",
        "editlist_empty_edit_1s.mp4", "phone_rot180_vfr_lowfps.mp4",
    ])
    func `sound of films has the length and place that it has in the film`(name: String) async throws {
        let input = Media.file("video/\(name)")
        let result = try await bench.extract(input, to: "out.wav") { $0.audio.codec = .pcm }
        let info = try await bench.probe(input)
        let made = try bench.sound("out.wav")
        let rate = Double(made.sampleRate)
        let source = try #require(
            try bench.look(input, pictureWidth: nil).audios.first { $0.sampleRate == made.sampleRate })
        // The film's clock starts with its first stream.
        let length = Double(made.samples[0].count) / rate
        #expect(abs(length - (source.end - (info.start ?? 0))) < 0.06, "\(length) s of \(source.end) s")
        #expect(abs(result.duration - length) < 0.001)
        if let heard = firstSound(source) {
            let found = try #require(firstSound(made))
            let expected = heard - (info.start ?? 0)
            #expect(abs(found - expected) < 0.03, "the first sound is at \(found) s, not \(expected) s")
        }
    }

    @Test func `each of two tracks of 5.1 is mixed down for speech`() async throws {
        for track in 0..<2 {
            let result = try await bench.extract(Media.file("video/two_51_audio_tracks.mp4"), to: "\(track).wav") {
                $0.preset = .speech
                $0.track = track
            }
            #expect(result.channels == 1 && abs(result.duration - 5) < 0.1)
        }
    }

    @Test func `long speech is split at its pauses`() async throws {
        let input = Media.file("audio/long_en_8k_5min.flac")
        let result = try await bench.extract(input, to: "a-{n}.flac") { $0.splitAtSilence = 30 }
        #expect(result.outputs.allSatisfy { $0.duration <= 30 } && abs(result.duration - 334.52) < 0.01)
        let source = try bench.look(input).audio?.samples[0] ?? []
        for cut in result.outputs.dropFirst().map(\.start) {
            let middle = Int(cut * 8_000)
            #expect(rms(source[middle - 400..<middle + 400]) < 0.01, "cut at \(cut) s, in the speech")
        }
        let joined = try result.outputs.flatMap { output in
            try bench.sound(String(output.output.split(separator: "/").last ?? "")).samples[0]
        }
        #expect(difference(joined, source) == 0)
    }

    @Test func `a cover picture is no picture, and a silent film's lack of sound is an error`() async throws {
        let result = try await bench.extract(Media.file("audio/mp3_with_big_cover.mp3"), to: "out.wav")
        #expect(result.codec == "pcm_s16le")
        let error = await mediaError { try await bench.extract(Media.file("video/no_audio_640x272.mp4"), to: "no.wav") }
        #expect(error?.code == .badInput && !bench.scratch.names.contains("no.wav"))
    }
}
