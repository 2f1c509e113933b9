import MediaKit
import TestSupport
import Testing
import TransferTestSupport

extension Streaming {
    @Suite(.timeLimit(.minutes(2))) struct SoundRangesTests {
        /// Pictures so large that skipping them is worth a request.
        @Test(arguments: [true, false])
        func `Of a video whose sound is wanted, little but the sound is fetched`(_ indexFirst: Bool) async throws {
            let bench = try StreamingBench()
            let film = RawMovie(width: 640, height: 360, frames: 250, grain: 150)
            bench.server["film.mkv"] = S3Object(.made(size: film.size) { film.bytes($0) })
            let video = VideoSettings(codec: .h264, crf: 2, preset: "ultrafast")
            _ = try await bench.engine.run(
                Transcode(
                    input: bench.location("film.mkv"), output: bench.location("video.mp4"), video: video,
                    indexFirst: indexFirst))
            let size = try #require(bench.server["video.mp4"]?.size)
            let before = bench.server.bodyBytesSent
            let made = try await bench.engine.run(
                ExtractAudio(input: bench.location("video.mp4"), output: bench.location("sound.m4a")))
            let fetched = bench.server.bodyBytesSent - before
            let sound = made.outputs.first?.bytes ?? 0
            print("\(fetched >> 10) KiB fetched for \(sound >> 10) KiB of sound in \(size >> 10) KiB of video")
            #expect(size > 20 << 20)
            #expect(made.copied && abs(made.duration - 10) < 0.1)
            #expect(fetched < size / 8)
        }
    }
}
