import Foundation
import MediaKit
import Testing

/// Subtitle files to read, and short ways to read text.
enum SubtitleFixtures {
    /// The folder of sample subtitles; `nil` where it is not there.
    static let folder: URL? = {
        let media: URL
        if let path = ProcessInfo.processInfo.environment["KILN_TEST_MEDIA"] {
            media = URL(fileURLWithPath: path)
        } else {
            // Tests/MediaKitTests/Captions/… is four levels below the package.
            let package = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
            media = package.deletingLastPathComponent().appendingPathComponent("shared/media")
        }
        let folder = media.appendingPathComponent("subs")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    static var isThere: Bool { folder != nil }

    static func files() throws -> [URL] {
        guard let folder else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    /// A file's bytes. (Foundation leaks its buffer when it reads an empty file, which the address sanitizer reports.)
    static func bytes(of url: URL) throws -> [UInt8] {
        let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
        return size == 0 ? [] : [UInt8](try Data(contentsOf: url))
    }

    static func document(_ name: String) throws -> SubtitleDocument {
        let url = try #require(folder).appendingPathComponent(name)
        return try SubtitleDocument.parse(bytes(of: url), name: name)
    }

    static func parse(_ text: String, name: String = "test") throws -> SubtitleDocument {
        try SubtitleDocument.parse(Array(text.utf8), name: name)
    }

    static func cues(_ text: String) throws -> [Cue] { try parse(text).cues }

    /// The one cue of a SubRip file with this text.
    static func srtCue(_ text: String) throws -> Cue {
        try #require(try cues("1\n00:00:01,000 --> 00:00:02,000\n\(text)\n").first)
    }

    /// The one cue of a WebVTT file with this text and these settings.
    static func vttCue(_ text: String, settings: String = "") throws -> Cue {
        try #require(try cues("WEBVTT\n\n00:01.000 --> 00:02.000 \(settings)\n\(text)\n").first)
    }

    /// The error that reading gives.
    static func error(_ bytes: [UInt8], name: String = "test", limits: SubtitleLimits = .init()) -> MediaError? {
        do throws(MediaError) {
            _ = try SubtitleDocument.parse(bytes, name: name, limits: limits)
            return nil
        } catch {
            return error
        }
    }
}

extension SubtitleDocument {
    var cues: [Cue] { if case .cues(let cues) = content { cues } else { [] } }
    var script: ASSScript? { if case .ass(let script) = content { script } else { nil } }
}
