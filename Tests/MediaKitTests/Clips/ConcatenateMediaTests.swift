import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: Media.isPresent)) struct `Real clips that are joined` {
    @Test func `stand upright and undistorted, whatever they are`() async throws {
        let bench = try Workbench()
        let names = [
            "video/phone_rot90_h264_2s.mov", "video/phone_rot180_vfr_lowfps.mp4", "video/screenrec_cursed_vfr.mp4",
            "images/photo_odd_size_600x315.webp",
        ]
        let size = PictureSize(width: 320, height: 240, enlarge: true)
        for name in names {
            let isStill = name.hasPrefix("images")
            let file = Media.file(name)
            var request = ConcatenateClips(
                clips: [Clip(input: file, duration: isStill ? 1 : nil)],
                output: bench.scratch("joined.mkv"), overwrite: true)
            request.video = VideoSettings(
                codec: .h264, crf: 10, preset: "ultrafast", size: size, frameRate: FrameRate("25"))
            _ = try await bench.engine.run(request)
            // The same picture, made by a way of its own.
            try await bench.transcode(file, to: "alone.mkv") {
                $0.video = VideoSettings(codec: .h264, crf: 10, size: size)
                $0.overwrite = true
            }
            let joined = try #require(try bench.look("joined.mkv").video?.frames.first?.luma)
            let alone = try #require(try bench.look("alone.mkv").video?.frames.first?.luma)
            let (left, top) = ((joined.width - alone.width) / 2, (joined.height - alone.height) / 2)
            #expect(joined.width == 320 && joined.height == 240)
            let inner = Plane(
                width: alone.width, height: alone.height,
                samples: (0..<alone.height).flatMap { y in (0..<alone.width).map { joined[left + $0, top + y] } })
            #expect(psnr(inner, alone) > 20, "\(name)")
        }
    }

    @Test func `of all kinds make one film whose sound keeps to its pictures`() async throws {
        let bench = try Workbench()
        let clips = [
            Clip(input: Media.file("video/phone_rot90_h264_2s.mov")),
            Clip(input: Media.file("video/count_vfr_video_only.mp4"), start: 5, end: 7),
            Clip(input: Media.file("images/photo_odd_size_600x315.webp"), duration: 1.5, fit: .cover),
            Clip(input: Media.file("video/phone_rot180_vfr_lowfps.mp4")),
        ]
        let request = ConcatenateClips(
            clips: clips, output: bench.scratch("film.mp4"), crossFade: CrossFade(.wipeleft, seconds: 0.4),
            video: VideoSettings(preset: "ultrafast"))
        let result = try await bench.engine.run(request)
        let made = try bench.look("film.mp4")
        let video = try #require(made.video), audio = try #require(made.audio)
        #expect(Set(video.frames.map { [$0.width, $0.height] }) == [[320, 568]])
        #expect(video.frames.count == Int(result.streams[0].frames ?? 0))
        #expect(abs(video.end - audio.end) < 0.05)
        #expect(video.errors == 0 && audio.errors == 0)
    }
}
