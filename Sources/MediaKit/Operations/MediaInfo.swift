/// What is in a file, as ``Probe`` finds it.
public struct MediaInfo: Codable, Sendable, Equatable {
    /// As the request named it.
    public var input: String
    /// libav's short names: "mov,mp4,m4a,3gp,3g2,mj2".
    public var format: String
    public var formatName: String
    /// Seconds; `nil` if unknown.
    public var duration: Double?
    /// Seconds of the input's own clock at which it starts.
    public var start: Double?
    /// Bits per second, of everything.
    public var bitRate: Int64?
    /// Bytes; `nil` for a pipe.
    public var bytes: Int64?
    public var tags: [String: String]
    public var chapters: [Chapter]
    public var streams: [Stream]

    public struct Chapter: Codable, Sendable, Equatable {
        /// Seconds.
        public var start: Double
        public var end: Double
        public var title: String?
    }

    /// One stream. Exactly one of `video` and `audio` is there for pictures and sound, none for the rest.
    public struct Stream: Codable, Sendable, Equatable {
        public var index: Int
        /// "video", "audio", "subtitle", "attachedPicture" or "data".
        public var kind: String
        public var codec: String
        public var profile: String?
        /// A four-character code of the container: "avc1".
        public var tag: String?
        public var language: String?
        /// "default", "forced", "hearing_impaired", …
        public var dispositions: [String]
        /// Of the stream's timestamps, as a fraction of a second: "1/90000".
        public var timeBase: String
        /// Seconds.
        public var start: Double?
        public var duration: Double?
        /// Frames by the container's count, where it has one.
        public var frames: Int64?
        /// Bits per second.
        public var bitRate: Int64?
        public var tags: [String: String]
        public var video: Video?
        public var audio: Audio?
    }

    public struct Video: Codable, Sendable, Equatable {
        /// As stored, in pixels.
        public var width: Int
        public var height: Int
        /// As shown, in square pixels, turned upright.
        public var displayWidth: Int
        public var displayHeight: Int
        /// "1:1"; `nil` if unknown.
        public var sampleAspectRatio: String?
        public var displayAspectRatio: String?
        /// Degrees clockwise that stand it upright.
        public var rotation: Double
        public var isMirrored: Bool
        /// Pictures per second on average, as a fraction.
        public var averageFrameRate: String?
        /// The rate at which every timestamp can be shown exactly, as a fraction.
        public var realFrameRate: String?
        public var isVariableFrameRate: Bool
        public var pixelFormat: String?
        public var bitDepth: Int?
        /// "4.1"; `nil` if unknown.
        public var level: String?
        /// "progressive", "top_first", "bottom_first"; `nil` if unknown.
        public var fieldOrder: String?
        public var color: Color
        public var hdr: HDR?
        /// Seconds from one key frame to the next, at most; only on request.
        public var keyFrameSeconds: Double?
    }

    /// Colour by the names that libav gives the codes of ITU-T H.273.
    public struct Color: Codable, Sendable, Equatable {
        public var primaries: String?
        public var transfer: String?
        public var matrix: String?
        /// "tv" (limited) or "pc" (full).
        public var range: String?
    }

    public struct HDR: Codable, Sendable, Equatable {
        /// "PQ" or "HLG".
        public var transfer: String
        /// cd/m², of the mastering display.
        public var minimumLuminance: Double?
        public var maximumLuminance: Double?
        /// cd/m², of the content.
        public var maximumContentLight: Int?
        public var maximumFrameAverageLight: Int?
    }

    public struct Audio: Codable, Sendable, Equatable {
        /// Hz.
        public var sampleRate: Int
        public var channels: Int
        /// "stereo", "5.1"
        public var channelLayout: String
        public var sampleFormat: String?
    }
}
