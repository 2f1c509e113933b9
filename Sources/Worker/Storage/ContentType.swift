import MediaKit
import Transfer

/// The media types that outputs are stored under, so that browsers play what they are given.
enum ContentType {
    /// By the ending of the key or path; `nil` where it says nothing.
    static func of(_ location: ObjectLocation) -> String? {
        let name: String
        switch location {
        case .bucket(_, let key), .store(let key): name = key
        case .web(let url): name = url.path
        case .file: return nil
        }
        if let container = Container(fileName: name) { return of(container) }
        return TranscriptFormat(fileName: name)?.mediaType
    }

    /// https://www.iana.org/assignments/media-types, and what browsers know where that has none.
    static func of(_ container: Container) -> String {
        switch container {
        case .mp4: "video/mp4"
        case .mov: "video/quicktime"
        case .mkv: "video/x-matroska"
        case .webm: "video/webm"
        case .mpegts: "video/mp2t"
        case .m4a: "audio/mp4"
        case .mp3: "audio/mpeg"
        case .ogg, .opus: "audio/ogg"
        case .wav: "audio/wav"
        case .flac: "audio/flac"
        }
    }
}
