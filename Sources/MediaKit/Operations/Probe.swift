/// Tells what is in a file.
///
/// ```swift
/// let info = try await MediaEngine().run(Probe(input: "talk.mp4"))
/// print(info.duration ?? 0, info.streams.map(\.codec))
/// ```
public struct Probe: MediaOperation, Equatable {
    /// "probe".
    public static let name = "probe"

    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// Whether all of the input is read to find the distances of its key frames. Default false.
    public var keyFrames: Bool
    /// Bounds on what the job may take; of a probe, `streams` and `wallSeconds` count.
    public var limits: Limits

    /// Members that are not given take their defaults; nothing is checked before `validate()`.
    public init(input: String, keyFrames: Bool = false, limits: Limits = Limits()) {
        self.input = input
        self.keyFrames = keyFrames
        self.limits = limits
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, keyFrames, limits
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self, besides: ["operation"])
        input = try values.decode(String.self, forKey: .input)
        keyFrames = try values.decodeIfPresent(Bool.self, forKey: .keyFrames) ?? false
        limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
    }

    public func validate() throws { try limits.validate() }

    public var request: MediaRequest { .probe(self) }

    public static func output(of result: MediaResult) -> MediaInfo? {
        if case .info(let info) = result { info } else { nil }
    }
}

extension Probe: ExecutableOperation {
    var settings: JobSettings { JobSettings(threads: 1, limits: limits) }

    func execute(_ job: Job) throws -> MediaResult {
        let demuxer = try job.open(input)
        var info = MediaInfo(demuxer, location: input)
        if keyFrames { try measureKeyFrames(demuxer, job, &info) }
        return .info(info)
    }

    private func measureKeyFrames(_ demuxer: Demuxer, _ job: Job, _ info: inout MediaInfo) throws {
        var last: [Int: Int64] = [:]
        var longest: [Int: Int64] = [:]
        let video = Set(demuxer.streams.filter { $0.kind == .video }.map(\.index))
        demuxer.discard(allBut: video)
        let packet = try Packet()
        while try demuxer.read(into: packet) {
            try job.control.checkpoint()
            defer { packet.unref() }
            guard packet.isKey, video.contains(packet.stream), let time = packet.pts ?? packet.dts else { continue }
            if let before = last[packet.stream] {
                longest[packet.stream] = max(longest[packet.stream] ?? 0, time - before)
            }
            last[packet.stream] = time
        }
        for (index, distance) in longest {
            info.streams[index].video?.keyFrameSeconds = demuxer.streams[index].timeBase.seconds(distance)
        }
    }
}
