import FoundationEssentials
import MediaKit

/// What the media cases work on: one given file, clips of the media folder, or clips made on the spot.
struct MediaInputs {
    struct Clip {
        var path: String
        var seconds: Double
        var width: Int
        var height: Int

        var name: String { URL(fileURLWithPath: path).lastPathComponent }
        var size: String { "\(width)×\(height)" }
    }

    /// For burning captions in, and for its sound.
    let talk: Clip
    /// For making smaller.
    let large: Clip
    /// A minute of a call.
    let call: Clip
    /// For jobs that are over at once.
    let small: Clip

    /// - Parameters:
    ///   - input: a file that all cases shall work on, but for the small jobs.
    ///   - scratch: the folder for what is made.
    init(input: String?, scratch: ScratchFolder) throws {
        let media = Self.mediaFolder()
        func choose(_ name: String, _ sample: (width: Int, height: Int)) throws -> Clip {
            if let input { return try Self.clip(input) }
            let path = media + "/" + name
            if FileManager.default.fileExists(atPath: path) { return try Self.clip(path) }
            return try Self.make("sample-\(sample.height).mp4", sample, seconds: 30, scratch)
        }
        talk = try choose("video/opossum_720p30_42s.mp4", (1280, 720))
        large = try choose("video/highway_1080p25_30s.mp4", (1920, 1080))
        small = try Self.make("small.mp4", (640, 360), seconds: 2, scratch)
        let recorded = input ?? media + "/audio/phone_en_8k_73s.wav"
        let source: String
        if FileManager.default.fileExists(atPath: recorded) {
            source = recorded
        } else {
            source = try Self.make("sample-call.mp4", (320, 180), seconds: 60, scratch).path
        }
        let minute = scratch.path("call.wav")
        _ = try ChildTask.run([
            .extractAudio(
                ExtractAudio(input: source, output: minute, audio: AudioSettings(codec: .pcm), end: 60, overwrite: true)
            )
        ])
        call = try Self.clip(minute)
    }

    static func mediaFolder() -> String {
        if let folder = ProcessInfo.processInfo.environment["KILN_TEST_MEDIA"], !folder.isEmpty { return folder }
        // This file lies two folders below the package's root.
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appendingPathComponent("../shared/media").standardized.path
    }

    private static func clip(_ path: String) throws -> Clip {
        let results = try ChildTask.run([.probe(Probe(input: path))]).results
        guard let result = results.first, let info = Probe.output(of: result) else {
            throw ChildProcess.Failure(description: "\(path) cannot be probed")
        }
        let picture = info.streams.lazy.compactMap(\.video).first
        return Clip(
            path: path, seconds: info.duration ?? 0, width: picture?.displayWidth ?? 0,
            height: picture?.displayHeight ?? 0)
    }

    private static func make(
        _ name: String, _ size: (width: Int, height: Int), seconds: Double, _ scratch: ScratchFolder
    ) throws -> Clip {
        let path = scratch.path(name)
        if FileManager.default.fileExists(atPath: path) { return try clip(path) }
        _ = try ChildTask.run([
            .sampleClip(SampleClip(output: path, seconds: seconds, width: size.width, height: size.height))
        ])
        return try clip(path)
    }
}
