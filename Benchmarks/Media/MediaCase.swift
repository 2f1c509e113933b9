import FoundationEssentials
import MediaKit

/// One thing that is measured: requests of ours, and the commands that do the same.
struct MediaCase {
    /// How the outputs are compared before their making is.
    enum Check {
        /// Two files, decoded.
        case files(ours: String, peer: (String) -> String)
        /// What was found out about these files.
        case probes
    }

    var name: String
    var title: String
    /// Seconds of media that one run goes through.
    var mediaSeconds: Double
    /// Carried out before the jobs, in the same process: it loads fonts and pages code in.
    var warmUp: [MediaRequest]
    var jobs: [MediaRequest]
    /// The peer's commands, one after another; `nil` if it has none for it. The second argument tells peers' files apart.
    var commands: (Peer, String) -> [ChildProcess]?
    var check: Check
    /// The request whose encoder alone is measured too.
    var floor: MediaRequest?
    var goals: [Goal]
    var notes: [String] = []

    static let names = ["burn-in", "transcode", "extract-audio", "call", "probe", "small-jobs"]

    /// What an encoder and container of the peer are told so that it makes the same file.
    private static let encoding = [
        "-sn", "-dn", "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-c:a", "copy",
        "-movflags", "+faststart",
    ]
    private static let quiet = ["-nostdin", "-v", "error", "-y"]
    private static let video = VideoSettings(codec: .h264, crf: 23, preset: "veryfast")
    private static let copied = AudioSettings(codec: .copy)
    private static let noSubtitles = StreamSelection(subtitles: .indices([]))
    private static let pictureGoals = [
        Goal(metric: .cpu, limit: 1), Goal(metric: .wall, limit: 0.95, limitFromFFmpeg7: 1), memory,
    ]
    private static let memory = Goal(metric: .memory, limit: 1)

    static func all(_ inputs: MediaInputs, scratch: ScratchFolder) throws -> [MediaCase] {
        [
            try burnIn(inputs.talk, scratch), transcode(inputs.large, scratch),
            extract("extract-audio", inputs.talk, "the speech of all of \(inputs.talk.name)", goals: [memory], scratch),
            extract(
                "call", inputs.call, "the speech of a minute's call", goals: [Goal(metric: .wall, limit: 0.5), memory],
                scratch),
            probe([inputs.talk, inputs.large, inputs.call]), smallJobs(inputs.small, scratch),
        ]
    }

    private static func burnIn(_ clip: MediaInputs.Clip, _ scratch: ScratchFolder) throws -> MediaCase {
        let captions = try scratch.write(captions(seconds: clip.seconds), to: "captions.srt")
        // What ours draws is given to the peer as it is, so that both draw the same.
        let drawn = try ChildTask.script(subtitles: captions, width: clip.width, height: clip.height)
            .perform(as: String.self).answer
        let script = try scratch.write(drawn, to: "captions.ass")
        func burn(to output: String, end: Double? = nil) -> MediaRequest {
            .burnSubtitles(
                BurnSubtitles(
                    input: clip.path, subtitles: .file(captions), output: output, video: video,
                    audio: end == nil ? copied : AudioSettings(codec: .none), streams: noSubtitles, end: end,
                    overwrite: true))
        }
        let ours = scratch.path("burn-in.mp4")
        return MediaCase(
            name: "burn-in", title: "two-line captions over all of \(clip.name), \(clip.size)",
            mediaSeconds: clip.seconds, warmUp: [burn(to: ours, end: 0.5)], jobs: [burn(to: ours)],
            commands: { peer, tag in
                // The filter `subtitles` of FFmpeg 5.1 takes ASS through a decoder that moves some glyphs; `ass`, the
                // same filter otherwise, does not.
                let filter = ["-vf", "ass=filename=\(script)"]
                return [
                    ChildProcess(
                        program: peer.path,
                        arguments: quiet + ["-i", clip.path] + filter + encoding
                            + [scratch.path("burn-in-\(tag).mp4")])
                ]
            },
            check: .files(ours: ours) { scratch.path("burn-in-\($0).mp4") }, floor: burn(to: ours),
            goals: pictureGoals + [Goal(metric: .cpuAboveEncoder, limit: 0.8)])
    }

    /// SRT with a new caption of two lines every three seconds, without a gap.
    static func captions(seconds: Double) -> String {
        func time(_ seconds: Int) -> String {
            let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60]
            return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":") + ",000"
        }
        let last = Int(seconds.rounded(.up)) + 1
        return stride(from: 0, to: last, by: 3).enumerated().map { number, start in
            """
            \(number + 1)
            \(time(start)) --> \(time(min(start + 3, last)))
            Caption number \(number + 1) is shown for three seconds
            and its second line is about as long

            """
        }.joined(separator: "\n")
    }

    private static func transcode(_ clip: MediaInputs.Clip, _ scratch: ScratchFolder) -> MediaCase {
        func smaller(to output: String, end: Double? = nil) -> MediaRequest {
            var video = video
            video.size = PictureSize(height: 720)
            return .transcode(
                Transcode(
                    input: clip.path, output: output, video: video,
                    audio: end == nil ? copied : AudioSettings(codec: .none), streams: noSubtitles, end: end,
                    overwrite: true))
        }
        let ours = scratch.path("transcode.mp4")
        return MediaCase(
            name: "transcode", title: "\(clip.name), \(clip.size), to 720p", mediaSeconds: clip.seconds,
            warmUp: [smaller(to: ours, end: 0.5)], jobs: [smaller(to: ours)],
            commands: { peer, tag in
                let filter = ["-vf", "scale=w=-2:h=720:flags=bicubic"]
                return [
                    ChildProcess(
                        program: peer.path,
                        arguments: quiet + ["-i", clip.path] + filter + encoding
                            + [scratch.path("transcode-\(tag).mp4")])
                ]
            },
            check: .files(ours: ours) { scratch.path("transcode-\($0).mp4") }, floor: smaller(to: ours),
            goals: pictureGoals)
    }

    private static func extract(
        _ name: String, _ clip: MediaInputs.Clip, _ title: String, goals: [Goal], _ scratch: ScratchFolder
    ) -> MediaCase {
        let ours = scratch.path("\(name).wav")
        let request = MediaRequest.extractAudio(
            ExtractAudio(input: clip.path, output: ours, preset: .speech, overwrite: true))
        return MediaCase(
            name: name, title: "\(title) as 16 kHz mono WAV", mediaSeconds: clip.seconds, warmUp: [request],
            jobs: [request],
            commands: { peer, tag in
                let sound = ["-vn", "-sn", "-dn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"]
                return [
                    ChildProcess(
                        program: peer.path,
                        arguments: quiet + ["-i", clip.path] + sound + [scratch.path("\(name)-\(tag).wav")])
                ]
            },
            check: .files(ours: ours) { scratch.path("\(name)-\($0).wav") }, floor: nil, goals: goals)
    }

    private static func probe(_ clips: [MediaInputs.Clip]) -> MediaCase {
        let paths = (0..<20).map { clips[$0 % clips.count].path }
        let requests = paths.map { MediaRequest.probe(Probe(input: $0)) }
        return MediaCase(
            name: "probe", title: "20 files probed in a row, in one process", mediaSeconds: 0,
            warmUp: Array(requests.prefix(clips.count)), jobs: requests,
            commands: { peer, _ in
                guard let program = peer.probePath else { return nil }
                let what = ["-v", "error", "-of", "json", "-show_format", "-show_streams"]
                return paths.map { ChildProcess(program: program, arguments: what + [$0]) }
            },
            check: .probes, floor: nil, goals: [Goal(metric: .wall, limit: 0.1), memory])
    }

    private static func smallJobs(_ clip: MediaInputs.Clip, _ scratch: ScratchFolder) -> MediaCase {
        var smaller = video
        smaller.size = PictureSize(height: 240)
        func request(_ number: Int) -> MediaRequest {
            .transcode(
                Transcode(
                    input: clip.path, output: scratch.path("small-\(number).mp4"), video: smaller, audio: copied,
                    streams: noSubtitles, overwrite: true))
        }
        return MediaCase(
            name: "small-jobs", title: "20 jobs one after another: two seconds of \(clip.size) to 240p",
            mediaSeconds: clip.seconds * 20, warmUp: [request(0)], jobs: (0..<20).map(request),
            commands: { peer, tag in
                (0..<20).map { number in
                    let filter = ["-vf", "scale=w=-2:h=240:flags=bicubic"]
                    return ChildProcess(
                        program: peer.path,
                        arguments: quiet + ["-i", clip.path] + filter + encoding
                            + [scratch.path("small-\(number)-\(tag).mp4")])
                }
            },
            check: .files(ours: scratch.path("small-19.mp4")) { scratch.path("small-19-\($0).mp4") }, floor: nil,
            goals: [memory])
    }
}
