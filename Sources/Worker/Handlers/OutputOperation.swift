import MediaKit

/// An operation that writes something.
protocol WritingOperation: MediaOperation {
    var input: String { get }
    /// Those that tell what the job takes: each is looked at before it is run. Empty where the kind's own weight, or the
    /// request, tells all.
    var weighedInputs: [String] { get }
    /// What the job takes; `nil` if the kind's own weight stands for it.
    ///
    /// - Parameter inputs: what was found in `weighedInputs`, by location.
    func estimate(_ inputs: [String: MediaInfo]) -> WeightEstimate?
    /// Empty where it is left to the worker.
    var output: String { get set }
    var overwrite: Bool { get set }
    var threads: Int? { get set }
    var limits: Limits { get set }
    /// How pictures are encoded; `nil` if none are.
    var encodedVideo: VideoSettings? { get }
    /// What the output's name ends with, if the worker makes it.
    var outputExtension: String { get }
    /// Names the format where neither it nor an output is named: the worker's template need not end as it does.
    mutating func settleFormat()
}

/// One that writes a container.
protocol OutputOperation: WritingOperation {
    var container: Container? { get set }
    /// What is written where neither container nor output is named.
    var usualContainer: Container { get }
}

extension OutputOperation {
    private var settledContainer: Container {
        container ?? (output.isEmpty ? nil : Container(fileName: output)) ?? usualContainer
    }
    var outputExtension: String { settledContainer.fileExtension }

    mutating func settleFormat() {
        if output.isEmpty, container == nil { container = settledContainer }
    }
}

extension WritingOperation {
    var weighedInputs: [String] { encodedVideo == nil ? [] : [input] }

    func estimate(_ inputs: [String: MediaInfo]) -> WeightEstimate? {
        inputs[input].flatMap { WeightEstimate(self, $0) }
    }
}

extension Transcode: OutputOperation {
    var usualContainer: Container { video.codec == .none ? .m4a : .mp4 }
    var encodedVideo: VideoSettings? {
        // With nothing asked for it is copied, but into a container that does not take it.
        [.none, .copy].contains(video.codec) || video == VideoSettings() ? nil : video
    }
}

extension BurnSubtitles: OutputOperation {
    var usualContainer: Container { .mp4 }
    var encodedVideo: VideoSettings? { video }
}

extension ExtractAudio: OutputOperation {
    var usualContainer: Container {
        switch audio.codec {
        case .mp3: .mp3
        case .opus: .opus
        case .flac: .flac
        case .pcm: .wav
        case .aac: .m4a
        // Any codec goes into Matroska as it is.
        case .copy: .mkv
        case .auto, .none: preset == .speech ? .wav : .m4a
        }
    }
    var encodedVideo: VideoSettings? { nil }
}

extension NormalizeLoudness: OutputOperation {
    var usualContainer: Container {
        // Into what it is, where its name tells and its pictures go in as they are.
        if let container = Container(fileName: input) { return container }
        return .m4a
    }
    var encodedVideo: VideoSettings? { nil }
}

extension MixAudio: OutputOperation {
    /// The first of those that are read.
    var input: String { video ?? inputs.first?.input ?? "" }
    var usualContainer: Container { video == nil ? .m4a : .mp4 }
    var encodedVideo: VideoSettings? { nil }
    var weighedInputs: [String] { inputs.filter(\.loop).map(\.input) }

    /// What loops is held in memory.
    func estimate(_ found: [String: MediaInfo]) -> WeightEstimate? {
        let held = inputs.reduce(Int64(0)) { sum, input in
            guard let info = found[input.input] else { return sum }
            let sounds = info.streams.compactMap(\.audio)
            let most = sounds.map {
                input.heldBytes(seconds: info.duration, sampleRate: $0.sampleRate, channels: $0.channels)
            }
            return sum + (most.max() ?? 0)
        }
        return held > 0 ? WeightEstimate(held: held) : nil
    }
}

extension ConcatenateClips: OutputOperation {
    var input: String { clips.first?.input ?? "" }
    var usualContainer: Container { .mp4 }
    var encodedVideo: VideoSettings? { video }
    var weighedInputs: [String] { Set(clips.map(\.input)).sorted() }

    /// The first clip tells the size of all, and the largest what decoding takes. A cross-fade holds its pictures.
    func estimate(_ inputs: [String: MediaInfo]) -> WeightEstimate? {
        let found = clips.compactMap { inputs[$0.input] }
        guard let first = found.first else { return nil }
        return WeightEstimate(self, first, among: found, crossFade: crossFade)
    }
}

extension LoopTo: OutputOperation {
    var usualContainer: Container { .mp4 }
    var encodedVideo: VideoSettings? { video }

    func estimate(_ inputs: [String: MediaInfo]) -> WeightEstimate? {
        inputs[input].flatMap { WeightEstimate(self, $0, among: [$0], crossFade: crossFade) }
    }
}

extension Container {
    /// What files of it end with.
    var fileExtension: String {
        switch self {
        case .mpegts: "ts"
        default: rawValue
        }
    }
}

extension Limits {
    /// The smaller of both, member by member.
    func capped(by other: Limits) -> Limits {
        func least<Value: Comparable>(_ a: Value?, _ b: Value?) -> Value? {
            guard let a, let b else { return a ?? b }
            return min(a, b)
        }
        return Limits(
            pixels: min(pixels, other.pixels), durationSeconds: least(durationSeconds, other.durationSeconds),
            outputBytes: least(outputBytes, other.outputBytes), streams: min(streams, other.streams),
            wallSeconds: least(wallSeconds, other.wallSeconds))
    }
}
