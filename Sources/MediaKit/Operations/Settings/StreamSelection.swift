import CAVShim

/// Which of an input's streams are used. Streams are counted within their kind, from 0.
public struct StreamSelection: Codable, Sendable, Equatable {
    /// Which sound streams.
    public enum Choice: Codable, Sendable, Equatable {
        /// The one that a player would choose: marked as default, most channels, first.
        case best
        /// Every one, in the input's order.
        case all
        /// Those with these numbers within their kind, from 0, in the order given; an empty list takes none.
        case indices([Int])

        public init(from decoder: any Swift.Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let indices = try? container.decode([Int].self) {
                self = .indices(indices)
            } else if let index = try? container.decode(Int.self) {
                self = .indices([index])
            } else {
                switch try container.decode(String.self) {
                case "best": self = .best
                case "all": self = .all
                default:
                    throw DecodingError.dataCorruptedError(
                        in: container, debugDescription: "streams are \"best\", \"all\" or a list of numbers")
                }
            }
        }

        public func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .best: try container.encode("best")
            case .all: try container.encode("all")
            case .indices(let indices): try container.encode(indices)
            }
        }
    }

    /// The video stream. Default: the one with the most pixels; cover pictures never count.
    public var video: Int?
    /// Default: best.
    public var audio: Choice
    /// Subtitle streams that are carried along where the container takes them. Default: all.
    public var subtitles: Choice

    /// Members that are not given take their defaults; numbers are checked when the input is open.
    public init(video: Int? = nil, audio: Choice = .best, subtitles: Choice = .all) {
        self.video = video
        self.audio = audio
        self.subtitles = subtitles
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case video, audio, subtitles
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        video = try values.decodeIfPresent(Int.self, forKey: .video)
        audio = try values.decodeIfPresent(Choice.self, forKey: .audio) ?? .best
        subtitles = try values.decodeIfPresent(Choice.self, forKey: .subtitles) ?? .all
    }

    func chooseVideo(_ demuxer: Demuxer) throws -> InputStream? {
        let streams = demuxer.streams.filter { $0.kind == .video }
        guard let video else {
            // The first of the largest.
            return streams.max { ($0.pixels, $1.index) < ($1.pixels, $0.index) }
        }
        guard streams.indices.contains(video) else {
            throw MediaError(
                .notFound, "there is no video stream \(video) (\(streams.count) in all)", input: demuxer.name)
        }
        return streams[video]
    }

    func chooseAudio(_ demuxer: Demuxer) throws -> [InputStream] {
        try Self.choose(audio, among: demuxer.streams.filter { $0.kind == .audio }, "audio", demuxer) { streams in
            streams.max {
                ($0.isDefault ? 1 : 0, $0.channels, $1.index) < ($1.isDefault ? 1 : 0, $1.channels, $0.index)
            }
        }
    }

    func chooseSubtitles(_ demuxer: Demuxer) throws -> [InputStream] {
        try Self.choose(subtitles, among: demuxer.streams.filter { $0.kind == .subtitle }, "subtitle", demuxer) {
            $0.first { $0.isDefault } ?? $0.first
        }
    }

    private static func choose(
        _ choice: Choice, among streams: [InputStream], _ kind: String, _ demuxer: Demuxer,
        best: ([InputStream]) -> InputStream?
    ) throws -> [InputStream] {
        switch choice {
        case .best: return best(streams).map { [$0] } ?? []
        case .all: return streams
        case .indices(let indices):
            return try indices.map { index in
                guard streams.indices.contains(index) else {
                    throw MediaError(
                        .notFound, "there is no \(kind) stream \(index) (\(streams.count) in all)", input: demuxer.name)
                }
                return streams[index]
            }
        }
    }
}

extension InputStream {
    fileprivate var pixels: Int { Int(parameters.pointee.width) * Int(parameters.pointee.height) }
    fileprivate var channels: Int { Int(parameters.pointee.ch_layout.nb_channels) }
}
