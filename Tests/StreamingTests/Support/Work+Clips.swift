import MediaKit
import TestSupport

// Ten clips and what is done with each: every operation, the common containers, copied and encoded streams, sound that
// is far from its pictures, indices at both ends.
extension Work {
    /// Of real clips where there are any, else of made ones.
    static let ten = Media.isPresent ? real : made

    private static let real: [Work] = [
        .burn(.media("video/highway_1080p25_30s.mp4"), from: 3, until: 4.5),
        .extract(.media("video/bbb_open_1080p24_20s_51.mp4"), to: "sound.m4a"),
        .burn(.media("video/opossum_720p30_42s.mp4"), from: 20, until: 24),
        .burn(.media("video/friday_480p_speech.mp4"), .media("subs/friday.vtt"), to: "friday.mp4"),
        Work(.media("video/count_vfr_2audio_en_de_1sub.mp4"), to: "count.mkv") { places in
            .burnSubtitles(
                BurnSubtitles(
                    input: places.input, subtitles: .embedded(0), output: places.output, video: quick,
                    streams: StreamSelection(audio: .all), bitexact: true, threads: 2))
        },
        .copy(.media("video/nasa_2video_2audio_2sub.mp4"), to: "nasa.mov"),
        .copy(.media("video/sintel_trailer_720p24_52s_3subs.mkv"), to: "sintel.mp4"),
        .encode(.media("video/iphone_rot90_hevc10_editlist.mp4"), to: "phone.mp4", height: 480),
        .encode(.media("video/bbb_720p24_30s_vp8.webm"), to: "bunny.mkv", height: 720, from: 10, until: 13),
        .extract(.media("video/mpeg2_1080p.ts"), to: "sound.flac"),
    ]

    private static let made: [Work] = [
        .burn(movie(seconds: 4), from: 1, until: 3),
        .burn(film, from: 0, until: 2),
        .burn(lastIndex, from: 1, until: 4),
        .encode(film, to: "film.mp4", height: 180),
        .encode(movie(seconds: 4), to: "small.webm", height: 48),
        .copy(movie(seconds: 4), to: "copied.mkv"),
        .copy(lastIndex, to: "copied.mov"),
        .extract(lastIndex, to: "sound.m4a"),
        .extract(film, to: "sound.flac"),
        .extract(movie(seconds: 4), to: "sound.wav"),
    ]

    // MARK: Made clips

    /// H.264 and AAC with the index in front.
    static func movie(seconds: Double) -> Clip {
        .made("movie.mp4") {
            let bench = try Workbench()
            let path = try await bench.movie(.ordinary(seconds: seconds, width: 320, height: 180))
            return bench.scratch.bytes(String(path.split(separator: "/").last ?? ""))
        }
    }

    /// The same with the index at the end.
    static let lastIndex = Clip.made("last-index.mp4") {
        let bench = try Workbench()
        let path = try await bench.movie(.ordinary(seconds: 5, width: 320, height: 180))
        try await bench.transcode(path, to: "last.mp4") { $0.indexFirst = false }
        return bench.scratch.bytes("last.mp4")
    }

    /// Several megabytes, uncompressed.
    static let film = Clip.made("film.mkv") { RawMovie(width: 320, height: 180, frames: 75, grain: 24).bytes }

    // MARK: Kinds of work

    static let quick = VideoSettings(codec: .h264, crf: 26, preset: "ultrafast")

    static let words = Clip.made("words.srt") {
        let cues = (0..<60).map { second in
            "\(second + 1)\n00:00:\(second < 10 ? "0" : "")\(second),000 --> 00:00:\(second < 10 ? "0" : "")\(second),800\n"
                + "Second \(second)\n"
        }
        return Array(cues.joined(separator: "\n").utf8)
    }

    static func burn(
        _ clip: Clip, _ subtitles: Clip = words, to output: String = "burnt.mp4", from start: Double? = nil,
        until end: Double? = nil
    ) -> Work {
        Work(clip, subtitles: subtitles, to: output) { places in
            .burnSubtitles(
                BurnSubtitles(
                    input: places.input, subtitles: .file(places.subtitles), output: places.output, video: quick,
                    start: start, end: end, bitexact: true, threads: 2))
        }
    }

    static func encode(
        _ clip: Clip, to output: String, height: Int, from start: Double? = nil, until end: Double? = nil
    ) -> Work {
        Work(clip, to: output) { places in
            var video = quick
            if output.hasSuffix(".webm") { video = VideoSettings(codec: .vp9, crf: 40, preset: "ultrafast") }
            video.size = PictureSize(height: height)
            return .transcode(
                Transcode(
                    input: places.input, output: places.output, video: video, start: start, end: end, bitexact: true,
                    threads: 2))
        }
    }

    static func copy(_ clip: Clip, to output: String) -> Work {
        Work(clip, to: output) { places in
            .transcode(
                Transcode(
                    input: places.input, output: places.output, streams: StreamSelection(audio: .all), bitexact: true,
                    threads: 2))
        }
    }

    static func extract(_ clip: Clip, to output: String, preset: ExtractAudio.Preset? = nil) -> Work {
        Work(clip, to: output) { places in
            .extractAudio(
                ExtractAudio(
                    input: places.input, output: places.output, preset: preset, bitexact: true, threads: 2))
        }
    }

    static func look(_ clip: Clip) -> Work {
        Work(clip) { places in .probe(Probe(input: places.input)) }
    }
}
