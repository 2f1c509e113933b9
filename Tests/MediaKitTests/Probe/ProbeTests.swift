import ByteIO
import MediaKit
import TestSupport
import Testing

@Suite("Probing")
struct ProbeTests {
    @Test("tells what a made clip is made of")
    func made() async throws {
        let bench = try Workbench()
        var clip = TestClip.ordinary(seconds: 2, channels: 2)
        clip.title = "A film"
        clip.audio[0].language = "ger"
        clip.chapters = [(0, 500, "One"), (500, 2000, "Two")]
        clip.texts = [.init([(0, 900, "Hi")], language: "fre")]
        clip.video?.displayWidth = 240
        clip.video?.matrix = 1
        clip.video?.transfer = 1
        clip.video?.primaries = 1
        clip.video?.range = 1
        let input = try bench.put(clip)
        let info = try await bench.probe(input)
        #expect(info.input == input)
        #expect(info.format == "matroska,webm")
        #expect(abs((info.duration ?? 0) - 2) < 0.05)
        #expect(info.start == 0)
        #expect(info.bytes == Int64(clip.bytes.count))
        #expect(info.tags["title"] == "A film")
        #expect(info.chapters.map(\.title) == ["One", "Two"])
        #expect(info.chapters.map(\.start) == [0, 0.5] && info.chapters.map(\.end) == [0.5, 2])
        #expect(info.streams.map(\.kind) == ["video", "audio", "subtitle"])
        #expect(info.streams.map(\.codec) == ["rawvideo", "pcm_s16le", "subrip"])
        // Matroska takes what does not say for English.
        #expect(info.streams.map(\.language) == ["eng", "ger", "fre"])
        let video = try #require(info.streams[0].video), audio = try #require(info.streams[1].audio)
        #expect([video.width, video.height, video.displayWidth, video.displayHeight] == [160, 96, 240, 96])
        #expect(video.sampleAspectRatio == "3:2" && video.displayAspectRatio == "5:2")
        #expect(video.averageFrameRate == "25/1" && !video.isVariableFrameRate)
        #expect(video.pixelFormat == "yuv420p" && video.bitDepth == 8)
        #expect([video.color.primaries, video.color.transfer, video.color.matrix] == ["bt709", "bt709", "bt709"])
        #expect(video.color.range == "tv")
        #expect(video.rotation == 0 && !video.isMirrored && video.hdr == nil)
        #expect(audio.sampleRate == 48_000 && audio.channels == 2 && audio.channelLayout == "stereo")
        #expect(info.streams[1].audio != nil && info.streams[1].video == nil)
    }

    @Test("measures the distance of key frames on request")
    func keyFrames() async throws {
        let bench = try Workbench()
        let movie = try await bench.movie(.ordinary(seconds: 3))
        #expect(try await bench.probe(movie).streams[0].video?.keyFrameSeconds == nil)
        let info = try await bench.engine.run(Probe(input: movie, keyFrames: true))
        #expect(info.streams[0].video?.keyFrameSeconds == 1)
        #expect(info.streams[0].frames == 75)
        #expect(info.streams[0].profile != nil && info.streams[0].video?.level != nil)
        #expect(info.streams[0].tag == "avc1")
    }

    @Test("works from memory and forwards only")
    func memory() async throws {
        let engine = MediaEngine(
            resolver: BoundResolver(sources: ["clip": MemorySource(TestClip.ordinary(seconds: 0.4).bytes)]))
        let info = try await engine.run(Probe(input: "clip"))
        #expect(info.input == "clip" && info.streams.count == 2)
    }

    @Test(
        "real files", .enabled(if: Media.isPresent),
        arguments: [
            Expectation("video/highway_1080p25_30s.mp4", 30.6, "h264 1920x1080 25/1 yuv420p 0 | aac 48000 stereo"),
            Expectation("video/bbb_open_1080p24_20s_51.mp4", 20, "h264 1920x1080 24/1 yuv420p 0 | aac 48000 5.1"),
            Expectation("video/phone_rot90_h264_2s.mov", 2.07, "aac 44100 mono | h264 320x568 37200/1241 yuv420p 90"),
            Expectation("video/phone_rot180_vfr_lowfps.mp4", 2.38, "h264 1280x720 VFR yuv420p 180 | aac 48000 mono"),
            Expectation(
                "video/iphone_rot90_hevc10_editlist.mp4", 2.55,
                "hevc 1080x1920 VFR yuv420p10le 90 HLG | aac 44100 stereo | data | data"),
            Expectation(
                "video/hlg10_hevc_1080p.mp4", 0.3, "aac 48000 stereo | hevc 1920x1080 90000/3001 yuv420p10le 0 HLG"),
            Expectation("video/count_vfr_video_only.mp4", 24.46, "h264 640x480 VFR yuv420p 0"),
            Expectation("video/screenrec_cursed_vfr.mp4", 8.73, "h264 3026x1386 VFR yuv420p 0"),
            Expectation(
                "video/nasa_2video_2audio_2sub.mp4", 16.57,
                "h264 320x180 25/1 yuv420p 0 | aac 8000 stereo | subtitle "
                    + "| h264 480x270 30000/1001 yuv420p 0 | aac 16000 stereo | subtitle"
            ),
            Expectation("video/hevc_1080p_no_audio_3s.mp4", 3.27, "hevc 1920x1080 30/1 yuvj420p 0"),
            Expectation("video/mpeg4_mp3.avi", 4.09, "mpeg4 960x400 24000/1001 yuv420p 0 | mp3 48000 stereo"),
            Expectation("audio/mp3_with_big_cover.mp3", 1.02, "mp3 44100 stereo | attachedPicture"),
            Expectation("audio/opus_6ch.ogg", 3.01, "opus 48000 5.1"),
        ])
    func real(expected: Expectation) async throws {
        let info = try await MediaEngine().run(Probe(input: Media.file(expected.file)))
        // Where tracks differ in length, versions differ in what they take for the whole.
        if LibavLibrary.release == "5.1" { #expect(abs((info.duration ?? 0) - expected.duration) < 0.06) }
        #expect(info.streams.map(describe).joined(separator: " | ") == expected.streams)
    }

    struct Expectation: Sendable, CustomTestStringConvertible {
        var file: String
        var duration: Double
        var streams: String
        var testDescription: String { file }
        init(_ file: String, _ duration: Double, _ streams: String) {
            self.file = file
            self.duration = duration
            self.streams = streams
        }
    }

    private func describe(_ stream: MediaInfo.Stream) -> String {
        switch stream.kind {
        case "video":
            guard let video = stream.video else { return "video without its fields" }
            let rate = video.isVariableFrameRate ? "VFR" : video.averageFrameRate ?? "?"
            let hdr = video.hdr.map { " \($0.transfer)" } ?? ""
            return "\(stream.codec) \(video.displayWidth)x\(video.displayHeight) \(rate) \(video.pixelFormat ?? "?") "
                + "\(Int(video.rotation))\(hdr)"
        case "audio":
            guard let audio = stream.audio else { return "audio without its fields" }
            return "\(stream.codec) \(audio.sampleRate) \(audio.channelLayout)"
        default: return stream.kind
        }
    }

    @Test("chapters, languages and dispositions of real files", .enabled(if: Media.isPresent))
    func companions() async throws {
        let engine = MediaEngine()
        let chapters = try await engine.run(Probe(input: Media.file("video/chapters.mp4")))
        #expect(!chapters.chapters.isEmpty && chapters.chapters.allSatisfy { $0.end > $0.start })
        let sintel = try await engine.run(Probe(input: Media.file("video/sintel_trailer_720p24_52s_3subs.mkv")))
        #expect(sintel.streams.filter { $0.kind == "subtitle" }.map(\.language) == ["eng", "ger", "spa"])
        let count = try await engine.run(Probe(input: Media.file("video/count_vfr_2audio_en_de_1sub.mp4")))
        #expect(count.streams.filter { $0.kind == "audio" }.map(\.language) == ["eng", "deu"])
        #expect(count.streams.contains { $0.dispositions.contains("default") })
        #expect(count.streams.first?.frames == 245)
    }
}
