import MediaKit

/// A piece of work whose input and output are objects, as ours and as the commands do it.
struct TransferWork {
    var name: String
    var title: String
    /// What is read, but for captions.
    var clip: TransferInputs.Clip
    /// What a job of ours reads.
    var keys: [String]
    /// Ours: the places of what it reads by their keys, and the place of the output.
    var request: ([String: String], String) -> MediaRequest
    /// What the command reads.
    var peerKeys: [String]
    /// The command's arguments: as `request`.
    var arguments: ([String: String], String) -> [String]
    /// Of the output: ".mp4".
    var suffix: String
    var goals: TransferGoals
    /// Bytes that the job needs of the clip, and what they are; `nil` for all of it.
    var needed: (bytes: Int64, name: String)?
    var notes: [String] = []

    static let names = ["burn-in", "copy", "extract-audio"]

    static func all(_ inputs: TransferInputs) -> [TransferWork] { [burnIn(inputs), copy(inputs), extract(inputs)] }

    private static let quiet = ["-nostdin", "-v", "error", "-y"]
    private static let noSubtitles = StreamSelection(subtitles: .indices([]))
    private static let copied = AudioSettings(codec: .copy)

    private static func burnIn(_ inputs: TransferInputs) -> TransferWork {
        let clip = inputs.clip, crf = 26.0
        var video = VideoSettings(codec: .h264, crf: crf, preset: "ultrafast")
        video.size = PictureSize(height: TransferInputs.outputSize.height)
        return TransferWork(
            name: "burn-in",
            title: "two-line captions over a 1080p clip of \(inputs.seconds) s, \(megabytes(clip)), made 720p by x264"
                + " ultrafast, object to object",
            clip: clip, keys: [clip.key, TransferInputs.captions],
            request: { [video] places, output in
                .burnSubtitles(
                    BurnSubtitles(
                        input: places[clip.key] ?? "", subtitles: .file(places[TransferInputs.captions] ?? ""),
                        output: output, video: video, audio: copied, streams: noSubtitles, overwrite: true))
            },
            peerKeys: [clip.key, TransferInputs.script],
            arguments: { places, output in
                let filter = "scale=w=-2:h=720:flags=bicubic,ass=filename=\(places[TransferInputs.script] ?? "")"
                return quiet + ["-i", places[clip.key] ?? "", "-vf", filter, "-sn", "-dn", "-fps_mode", "vfr"]
                    + ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "\(crf)", "-c:a", "copy"]
                    + ["-movflags", "+faststart", output]
            },
            suffix: ".mp4", goals: TransferGoals(aboveSlowest: 1.1, usual: 0.85),
            notes: [
                "The settings are fast on purpose, so that transfers matter: the clip is coded with CAVLC, the output by"
                    + " x264 ultrafast at crf \(crf.fixed(0))."
            ])
    }

    private static func copy(_ inputs: TransferInputs) -> TransferWork {
        let clip = inputs.clip
        return TransferWork(
            name: "copy",
            title: "the same clip, both streams copied into an MP4 with its index in front: transfers and nothing else",
            clip: clip, keys: [clip.key],
            request: { places, output in
                .transcode(
                    Transcode(
                        input: places[clip.key] ?? "", output: output, video: VideoSettings(codec: .copy),
                        audio: copied, streams: noSubtitles, overwrite: true))
            },
            peerKeys: [clip.key],
            arguments: { places, output in
                quiet + ["-i", places[clip.key] ?? "", "-map", "0:v", "-map", "0:a", "-c", "copy"]
                    + ["-movflags", "+faststart", output]
            },
            suffix: ".mp4", goals: TransferGoals())
    }

    private static func extract(_ inputs: TransferInputs) -> TransferWork {
        let clip = inputs.large
        return TransferWork(
            name: "extract-audio",
            title: "the sound of a video of \(inputs.seconds) s and \(megabytes(clip)) as 16 kHz mono WAV",
            clip: clip, keys: [clip.key],
            request: { places, output in
                .extractAudio(
                    ExtractAudio(input: places[clip.key] ?? "", output: output, preset: .speech, overwrite: true))
            },
            peerKeys: [clip.key],
            arguments: { places, output in
                quiet + ["-i", places[clip.key] ?? "", "-vn", "-sn", "-dn", "-ac", "1", "-ar", "16000"]
                    + ["-c:a", "pcm_s16le", output]
            },
            suffix: ".wav", goals: TransferGoals(fetchedOfNeeded: 1.2),
            needed: (inputs.soundBytes, "the sound's own bytes"))
    }

    private static func megabytes(_ clip: TransferInputs.Clip) -> String { "\((Double(clip.bytes) / 1e6).fixed(0)) MB" }
}

/// Ratios that are hoped for. They are shown beside what was measured and decide nothing.
struct TransferGoals {
    /// Of the time to that of the slowest of reading, working and writing, each alone.
    var aboveSlowest: Double?
    /// Of the time to that of downloading, working and uploading one after another.
    var usual: Double?
    /// Of the bytes fetched to those that are needed.
    var fetchedOfNeeded: Double?
}
