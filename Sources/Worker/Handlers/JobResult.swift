import JobQueue
import MediaKit
import Transfer

/// What a media job has made, whatever its kind.
struct JobResult: Codable, Sendable {
    /// Where the output is, the first of them where there are several: `s3://bucket/key`; nil if none was made.
    var url: String?
    /// Its key in its store; nil where it was not written to one.
    var key: String?
    /// Its address for everybody, if the store is public.
    var publicURL: String?
    /// Bytes.
    var size: Int64?
    /// As the store names this content, quotes included.
    var etag: String?
    /// What the store verified the bytes with.
    var checksum: Checksum?
    /// All of them, in order.
    var outputs: [Output] = []
    /// Seconds of all outputs; of a probe, of the input.
    var duration: Double?
    /// What was written: "mp4".
    var container: String?
    /// Of the output; of a probe, `info` tells.
    var streams: [Stream] = []
    /// What a probe found.
    var info: MediaInfo?
    /// How loud each sound stream was and is; of a normalization.
    var loudness: [NormalizeLoudnessResult.Track]?
    /// What a person should know.
    var warnings: [MediaWarning] = []
    var timings: Timings

    /// An object that was written.
    struct Output: Codable, Sendable {
        var url: String
        var key: String?
        var publicURL: String?
        /// Bytes.
        var size: Int64
        var etag: String?
        var checksum: Checksum?
        /// Seconds of the input at which it begins; of chunks of sound.
        var start: Double?
        /// Seconds.
        var duration: Double
    }

    struct Checksum: Codable, Sendable, Hashable {
        /// "CRC32C" or "MD5".
        var algorithm: String
        /// Base64; of an object that was sent in parts with their number, "yZRlqg==-3", as S3 writes it.
        var value: String
    }

    /// One stream of the output.
    struct Stream: Codable, Sendable {
        /// "video", "audio" or "subtitle".
        var kind: String
        /// "h264"
        var codec: String
        /// Whether it was copied without being decoded.
        var copied: Bool
        /// Pixels.
        var width: Int?
        var height: Int?
        /// Hz.
        var sampleRate: Int?
        var channels: Int?
        /// Pictures.
        var frames: Int64?
        /// Seconds.
        var duration: Double
    }

    /// Where the time went, in seconds. Input is read and output written while it is worked on, so these do not add up to
    /// the whole.
    struct Timings: Codable, Sendable {
        /// From when the job could have run until it did.
        var queue: Double
        /// That the engine waited for bytes of the input, the time to open it included.
        var read: Double
        /// That the engine worked, from opening the input to the output's being there.
        var process: Double
        /// That the engine waited for the output to be taken, the time to complete it included.
        var write: Double
        /// From the attempt's start to here.
        var total: Double
        /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
        var cpu: Double?
        /// Seconds of the result per second of `process`.
        var speed: Double?
    }
}

extension JobResult {
    /// Takes over what an output is known by.
    mutating func take(_ outputs: [Output]) {
        self.outputs = outputs
        guard let first = outputs.first else { return }
        (url, key, publicURL) = (first.url, first.key, first.publicURL)
        (size, etag, checksum) = (first.size, first.etag, first.checksum)
    }
}

extension JobResult.Checksum {
    init(_ checksum: ObjectChecksum) {
        algorithm = checksum.algorithm.rawValue
        value = Base64Text.encoded(checksum.bytes) + (checksum.parts.map { "-\($0)" } ?? "")
    }
}

extension JobResult.Stream {
    init(_ stream: RenderResult.Stream) {
        self.init(
            kind: stream.kind, codec: stream.codec, copied: stream.copied, width: stream.width, height: stream.height,
            sampleRate: stream.sampleRate, channels: stream.channels, frames: stream.frames, duration: stream.duration)
    }

    init(_ result: ExtractAudioResult) {
        self.init(
            kind: "audio", codec: result.codec, copied: result.copied, sampleRate: result.sampleRate,
            channels: result.channels, duration: result.duration)
    }
}
