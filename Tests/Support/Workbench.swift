public import MediaKit

/// A scratch folder with an engine: the way from a clip to a result that can be looked at, in few words.
public final class Workbench: Sendable {
    public let scratch: Scratch
    public let engine = MediaEngine()

    public init() throws { scratch = try Scratch() }

    /// Writes a clip into the folder. Returns its path.
    public func put(_ clip: TestClip, as name: String = "in.mkv") throws -> String {
        try scratch.put(name, clip.bytes)
    }

    public func put(_ bytes: [UInt8], as name: String = "in.mkv") throws -> String { try scratch.put(name, bytes) }

    /// Transcodes into the folder with the quickest presets, unless `change` says otherwise.
    @discardableResult
    public func transcode(
        _ input: String, to name: String, _ change: (inout Transcode) -> Void = { _ in }
    ) async throws -> RenderResult {
        var request = Transcode(input: input, output: scratch(name))
        change(&request)
        let codec = request.video.codec
        if codec != .copy, codec != .none, codec != .auto, request.video.preset == nil {
            request.video.preset = "ultrafast"
        }
        return try await engine.run(request)
    }

    /// A clip as H.264 and AAC in MP4, as most inputs are.
    public func movie(_ clip: TestClip, as name: String = "movie.mp4") async throws -> String {
        let input = try put(clip, as: name + ".source.mkv")
        try await transcode(input, to: name) {
            $0.video = VideoSettings(codec: .h264, crf: 12, gopSeconds: 1)
            $0.audio.codec = .aac
        }
        return scratch(name)
    }

    public func probe(_ path: String) async throws -> MediaInfo { try await engine.run(Probe(input: path)) }

    /// Decodes a file of the folder, or elsewhere by its whole path.
    public func look(
        _ name: String, pictureWidth: Int? = 320, keepsSound: Bool = true, until: Double = .infinity
    ) throws -> DecodedMedia {
        try DecodedMedia(
            path: name.hasPrefix("/") ? name : scratch(name), pictureWidth: pictureWidth, keepsSound: keepsSound,
            until: until)
    }
}

extension DecodedStream {
    /// The numbers that the pictures of a ``TestClip`` show; −1 for unreadable ones.
    public var numbers: [Int] { frames.map { TestClip.number(in: $0.luma) ?? -1 } }
}

/// Runs `body` and returns the ``MediaError`` that it threw, if it threw one.
public func mediaError(_ body: () async throws -> Void) async -> MediaError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? MediaError
    }
}
