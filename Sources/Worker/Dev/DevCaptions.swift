import FoundationEssentials
import Glibc
import MediaKit

/// Which captions a video gets, when nobody says.
enum DevCaptions: Sendable, Equatable {
    /// A file beside it, of the same name.
    case file(String)
    /// A text track within.
    case embedded
    /// What is said in it.
    case speech
    /// Its name and the running time, where there is no sound. Seconds.
    case timeCode(Double)

    /// Looks for them.
    ///
    /// - Throws: ``MediaError`` if the video cannot be read.
    static func find(for video: String) async throws -> DevCaptions {
        let stem = video.lastIndex(of: ".").flatMap { $0 > (video.lastIndex(of: "/") ?? video.startIndex) ? $0 : nil }
        let base = stem.map { String(video[..<$0]) } ?? video
        for ending in ["srt", "vtt", "ass", "ssa"] where base + "." + ending != video {
            if access("\(base).\(ending)", R_OK) == 0 { return .file("\(base).\(ending)") }
        }
        let info = try await MediaEngine().run(Probe(input: video))
        let isText = info.streams.contains { $0.kind == "subtitle" && textCodecs.contains($0.codec) }
        if isText { return .embedded }
        return info.streams.contains { $0.kind == "audio" } ? .speech : .timeCode(info.duration ?? 3600)
    }

    private static let textCodecs: Set = ["subrip", "srt", "mov_text", "webvtt", "ass", "ssa", "text"]

    /// For people, behind "burnt in:".
    var text: String {
        switch self {
        case .file(let path): "the captions of \(path.split(separator: "/").last ?? "")"
        case .embedded: "the text track within"
        case .speech: "what was recognised of its sound"
        case .timeCode: "a running time code, as neither captions nor sound came with it"
        }
    }

    /// Captions that may be anything, such as a script with styles, stay as they are.
    var look: DevJob.Payload.Captions? {
        switch self {
        case .speech: .init(preset: "karaoke")
        case .file(let path) where path.hasSuffix(".srt") || path.hasSuffix(".vtt"): .init(preset: "karaoke")
        case .file, .embedded, .timeCode: nil
        }
    }

    /// An SRT with a cue for each second.
    ///
    /// - Parameters:
    ///   - name: stands above the time.
    ///   - seconds: of the video; no more than 24 hours are written.
    static func timeCode(_ name: String, seconds: Double) -> String {
        let count = Int(min(max(seconds.rounded(.up), 1), 86_400))
        var text = ""
        for second in 0..<count {
            let (begin, end) = (clock(second), clock(second + 1))
            text += "\(second + 1)\n\(begin),000 --> \(end),000\n\(name.printable)\n\(begin)\n\n"
        }
        return text
    }

    private static func clock(_ seconds: Int) -> String { Figures.clock(Double(seconds), digits: 0) }
}
