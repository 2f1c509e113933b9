import ByteIO
import Foundation
import MediaKit
import TestSupport
import Testing
import TransferTestSupport

/// A piece of work by locations: the same through files and through a store.
struct Work: Sendable, CustomTestStringConvertible {
    /// What an input is made of.
    enum Clip: Sendable {
        /// A file of the media folder: "video/a.mp4".
        case media(String)
        /// A file that the tests make, by its name.
        case made(String, @Sendable () async throws -> [UInt8])

        /// The last part of its name.
        var name: String {
            switch self {
            case .media(let path): path.split(separator: "/").last.map(String.init) ?? path
            case .made(let name, _): name
            }
        }

        func bytes() async throws -> [UInt8] {
            switch self {
            case .media(let path): try FileSource(path: Media.file(path)).readAll(limit: 64 << 20)
            case .made(_, let make): try await make()
            }
        }
    }

    /// Where everything is in one run.
    struct Places: Sendable {
        var input: String
        /// Empty where there are none.
        var subtitles: String
        var output: String
    }

    var clip: Clip
    var subtitles: Clip?
    /// "a.mp4"; `nil` for work that only looks.
    var output: String?
    var request: @Sendable (Places) -> MediaRequest

    init(
        _ clip: Clip, subtitles: Clip? = nil, to output: String? = nil,
        _ request: @escaping @Sendable (Places) -> MediaRequest
    ) {
        self.clip = clip
        self.subtitles = subtitles
        self.output = output
        self.request = request
    }

    var testDescription: String { "\(clip.name) → \(output ?? "what is in it")" }
}

// MARK: Doing it

extension StreamingBench {
    /// Puts a work's inputs where both ways find them.
    func provide(_ work: Work) async throws {
        for clip in [work.clip, work.subtitles].compactMap(\.self) where server["in/\(clip.name)"] == nil {
            let bytes = try await clip.bytes()
            try scratch.put(clip.name, bytes)
            server.put("in/\(clip.name)", bytes)
        }
    }

    /// Does a work through files.
    func runThroughFiles(_ work: Work, to output: String? = nil) async throws -> MediaResult {
        try await engine.execute(
            work.request(
                Work.Places(
                    input: scratch(work.clip.name), subtitles: work.subtitles.map { scratch($0.name) } ?? "",
                    output: scratch(output ?? work.output ?? ""))), progress: nil)
    }

    /// Does it through the store; what comes of it is under "out/".
    func runThroughStore(_ work: Work, to output: String? = nil) async throws -> MediaResult {
        try await engine.execute(
            work.request(
                Work.Places(
                    input: location("in/\(work.clip.name)"),
                    subtitles: work.subtitles.map { location("in/\($0.name)") } ?? "",
                    output: location("out/\(output ?? work.output ?? "")"))), progress: nil)
    }
}

extension MediaResult {
    /// What depends neither on where the bytes are nor on the clock, to be compared.
    var essence: String {
        get throws {
            switch self {
            case .info(let info): try Self.text(info.streams) + "\(info.bytes ?? -1)"
            case .render(let result): try Self.text(result.streams) + "\(result.bytes) \(result.warnings.map(\.code))"
            case .audio(let result): "\(result.codec) \(result.outputs.map(\.bytes)) \(result.warnings.map(\.code))"
            case .sample(let result): "\(result.duration)"
            case .loudness(let result): "\(result.tracks.count)"
            case .normalized(let result): "\(result.file.duration)"
            case .waveform(let result): try Self.text(result.streams) + "\(result.bytes)"
            case .thumbnail(let result): "\(result.outputs.map(\.bytes))"
            }
        }
    }

    private static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
