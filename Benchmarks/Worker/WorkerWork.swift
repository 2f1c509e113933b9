import ArgumentParser
import FoundationEssentials
import MediaKit

/// A kind of job, and how many of them come in what way.
struct WorkerWork: Sendable {
    enum Name: String, CaseIterable, ExpressibleByArgument, Codable {
        case burn, audio, arrivals

        static let names = allCases.map(\.rawValue).joined(separator: ", ")

        /// Jobs of a round; few of them for a trial.
        func jobs(isQuick: Bool) -> Int {
            switch self {
            case .burn: isQuick ? 8 : 100
            case .audio: isQuick ? 40 : 500
            case .arrivals: isQuick ? 10 : 60
            }
        }
    }

    var name: Name
    var title: String
    /// Of the job, in Kiln's queue.
    var kind: String
    /// For Kiln, in JSON, without an output.
    var payload: String
    /// For the worker in Python, in JSON, without an output.
    var usualPayload: String
    /// Of the outputs: ".mp4".
    var suffix: String
    /// Seconds of an output.
    var seconds: Double
    /// Of ours' jobs per minute to a worker's in Python, and to that of spawning without a queue.
    var usualGoal: Double?
    var spawningGoal: Double?

    /// Whether all jobs are there before the worker is, or come to it one by one.
    var comesAtOnce: Bool { name != .arrivals }

    /// The key of a job's output, by its number from 1.
    func output(_ number: String) -> String { "out/\(number)\(suffix)" }

    static func all(_ inputs: WorkerInputs) throws -> [WorkerWork] {
        [
            try burn(inputs), try audio(inputs, .audio),
            try audio(inputs, .arrivals),
        ]
    }

    private static func burn(_ inputs: WorkerInputs) throws -> WorkerWork {
        let request = BurnSubtitles(
            input: place(WorkerInputs.clip), subtitles: .file(place(WorkerInputs.captions)), output: "",
            video: VideoSettings(codec: .h264, crf: 23, preset: "veryfast"), audio: AudioSettings(codec: .copy),
            streams: StreamSelection(subtitles: .indices([])))
        return WorkerWork(
            name: .burn,
            title:
                "two-line captions burnt into a clip of \(inputs.clipSeconds.fixed(0)) s, \(inputs.clipSize), by x264"
                + " veryfast; all jobs enqueued before the worker starts",
            kind: "media.burn_subtitles", payload: try json(request),
            usualPayload: try json([
                "kind": "burn", "input": WorkerInputs.clip, "subtitles": WorkerInputs.script,
            ]), suffix: ".mp4", seconds: inputs.clipSeconds, usualGoal: 1.05, spawningGoal: 1.05)
    }

    private static func audio(_ inputs: WorkerInputs, _ name: Name) throws -> WorkerWork {
        let request = ExtractAudio(input: place(WorkerInputs.call), output: "", preset: .speech)
        let isAtOnce = name == .audio
        return WorkerWork(
            name: name,
            title: "the speech of a call of \(inputs.callSeconds.fixed(0)) s as 16 kHz mono WAV; "
                + (isAtOnce ? "all jobs enqueued before the worker starts" : "jobs come one by one to an idle worker"),
            kind: "media.extract_audio", payload: try json(request),
            usualPayload: try json(["kind": "audio", "input": WorkerInputs.call]), suffix: ".wav",
            seconds: inputs.callSeconds, spawningGoal: isAtOnce ? 2 : nil)
    }

    private static func place(_ key: String) -> String { "s3://\(ObjectServerProcess.bucket)/\(key)" }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
