import FoundationEssentials
import MediaKit

/// What the workers' jobs read, as objects of the store.
struct WorkerInputs: Sendable {
    static let clip = "in/clip.mp4"
    static let call = "in/call.wav"
    static let captions = "in/captions.srt"
    /// The same captions as ours are drawn from, for the command.
    static let script = "in/captions.ass"

    /// Seconds of the clip and of the call.
    let clipSeconds: Double
    let callSeconds: Double
    /// Of the clip: "1280×720".
    let clipSize: String
    /// Files by the keys that the store shall have them under.
    let objects: [String: String]

    /// - Parameter scratch: the folder for what is made.
    init(scratch: ScratchFolder) throws {
        let media = try MediaInputs(input: nil, scratch: scratch)
        let clip = scratch.path("clip.mp4")
        let results = try ChildTask.run([
            .transcode(
                Transcode(
                    input: media.talk.path, output: clip, video: VideoSettings(codec: .copy),
                    audio: AudioSettings(codec: .copy), streams: StreamSelection(subtitles: .indices([])), end: 10,
                    overwrite: true)),
            .probe(Probe(input: clip)),
        ]).results
        clipSeconds = results.last.flatMap { Probe.output(of: $0) }?.duration ?? 0
        callSeconds = media.call.seconds
        clipSize = media.talk.size
        let captions = try scratch.write(MediaCase.captions(seconds: clipSeconds), to: "captions.srt")
        let drawn = try ChildTask.script(subtitles: captions, width: media.talk.width, height: media.talk.height)
            .perform(as: String.self).answer
        objects = [
            Self.clip: clip, Self.call: media.call.path, Self.captions: captions,
            Self.script: try scratch.write(drawn, to: "captions.ass"),
        ]
    }
}
