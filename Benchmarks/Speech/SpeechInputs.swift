import FoundationEssentials
import MediaKit

/// Recordings whose words are known.
struct SpeechInputs {
    struct Recording {
        var name: String
        var path: String
        /// What is said in it.
        var text: String
    }

    let recordings: [Recording]

    /// - Parameter given: recordings with their words in a `.txt` beside them; none for those of the media folder, or a
    ///   voice made on the spot.
    init(given: [String], scratch: ScratchFolder) throws {
        if !given.isEmpty {
            recordings = try given.map(Self.recording)
            return
        }
        let folder = MediaInputs.mediaFolder() + "/audio/"
        let names = ["phone_en_8k_30s.wav", "phone_en_8k_73s.wav", "long_en_8k_5min.flac"]
        var found = try names.map { folder + $0 }.filter { FileManager.default.fileExists(atPath: $0) }
            .map(Self.recording)
        let speech = folder + "jfk_16k.wav", words = folder + "jfk.txt"
        if FileManager.default.fileExists(atPath: speech) {
            found.insert(
                Recording(
                    name: "jfk_16k.wav", path: speech, text: try String(contentsOfFile: words, encoding: .utf8)),
                at: 0)
        }
        recordings = found.isEmpty ? [try Self.made(scratch)] : found
    }

    private static func recording(_ path: String) throws -> Recording {
        let url = URL(fileURLWithPath: path)
        let words = url.deletingPathExtension().path + ".txt"
        guard let text = try? String(contentsOfFile: words, encoding: .utf8) else {
            throw ChildProcess.Failure(description: "the words of \(path) are not in \(words)")
        }
        return Recording(name: url.lastPathComponent, path: path, text: text)
    }

    /// Half a minute of libavfilter's voice.
    private static func made(_ scratch: ScratchFolder) throws -> Recording {
        let path = scratch.path("voice.mp4"), words = scratch.path("voice.srt")
        let jobs = try ChildTask.run([
            .sampleClip(SampleClip(output: path, subtitles: words, seconds: 30, width: 320, height: 180))
        ])
        guard let result = jobs.results.first, let made = SampleClip.output(of: result), made.warnings.isEmpty else {
            throw ChildProcess.Failure(
                description: "these libraries have no voice (the filter flite): give recordings with their words")
        }
        let lines = try String(contentsOfFile: words, encoding: .utf8).split(whereSeparator: \.isNewline)
        let text = lines.filter { !$0.contains(" --> ") && Int($0) == nil }.joined(separator: " ")
        return Recording(name: "voice.mp4 (made)", path: path, text: text)
    }
}
