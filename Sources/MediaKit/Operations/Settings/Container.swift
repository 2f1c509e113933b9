/// The containers that can be written.
public enum Container: String, Codable, Sendable, CaseIterable {
    /// For pictures and sound; mkv also stands for Matroska with sound alone.
    case mp4, mov, mkv, webm, mpegts
    /// For sound alone.
    case m4a, mp3, ogg, opus, wav, flac

    /// The container that the ending of a file's name or of a URL's path stands for.
    public init?(fileName: String) {
        let name = fileName.locationPath
        guard let dot = name.lastIndex(of: "."), !name[dot...].contains("/") else { return nil }
        switch name[name.index(after: dot)...].lowercased() {
        case "mp4", "m4v": self = .mp4
        case "mov", "qt": self = .mov
        case "mkv", "mka": self = .mkv
        case "webm": self = .webm
        case "ts", "m2ts", "mts", "mpegts": self = .mpegts
        case "m4a": self = .m4a
        case "mp3": self = .mp3
        case "ogg", "oga": self = .ogg
        case "opus": self = .opus
        case "wav", "wave": self = .wav
        case "flac": self = .flac
        default: return nil
        }
    }

    /// libav's name of the muxer.
    var muxer: String {
        switch self {
        case .mp4: "mp4"
        case .mov: "mov"
        case .mkv: "matroska"
        case .webm: "webm"
        case .mpegts: "mpegts"
        case .m4a: "ipod"
        case .mp3: "mp3"
        case .ogg: "ogg"
        case .opus: "opus"
        case .wav: "wav"
        case .flac: "flac"
        }
    }

    /// The muxer's options for an MP4 or MOV that is written in order from the first byte to the last.
    static let fragmented = ["movflags": "+frag_keyframe+delay_moov+default_base_moof"]

    /// Whether it is of the ISO base media family, whose index can stand first.
    var isMovie: Bool { [.mp4, .mov, .m4a].contains(self) }

    var holdsVideo: Bool { [.mp4, .mov, .mkv, .webm, .mpegts].contains(self) }

    /// Whether its streams keep their own times. The others begin with their first sample.
    var hasTimestamps: Bool { ![.mp3, .wav, .flac].contains(self) }

    var usualVideoCodec: VideoCodec { self == .webm ? .vp9 : .h264 }

    var usualAudioCodec: AudioCodec {
        switch self {
        case .mp4, .mov, .mkv, .mpegts, .m4a: .aac
        case .webm, .ogg, .opus: .opus
        case .mp3: .mp3
        case .wav: .pcm
        case .flac: .flac
        }
    }

    static func resolve(_ asked: Container?, output: String) throws -> Container {
        if let asked { return asked }
        if let guessed = Container(fileName: output) { return guessed }
        throw MediaError(
            .badRequest, "the container of \"\(output.shownLocation)\" cannot be told from its name",
            hint: "set container to one of \(Container.allCases.map(\.rawValue).joined(separator: ", "))")
    }
}
