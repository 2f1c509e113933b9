/// A subtitle format that is read here.
public enum SubtitleFormat: String, Sendable, Codable, CaseIterable {
    /// SubRip.
    case srt
    /// WebVTT, `.vtt`.
    case webVTT = "webvtt"
    /// Advanced SubStation Alpha, and SubStation Alpha v4.
    case ass

    /// What a file's name suggests.
    init?(fileName: String) {
        switch fileName.lowercased().split(separator: ".").last {
        case "srt": self = .srt
        case "vtt", "webvtt": self = .webVTT
        case "ass", "ssa": self = .ass
        default: return nil
        }
    }
}
