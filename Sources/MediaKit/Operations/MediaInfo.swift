/// What is in a file, as ``Probe`` finds it.
public struct MediaInfo: Codable, Sendable, Equatable {
    /// As the request named it.
    public var input: String
    /// libav's short names: "mov,mp4,m4a,3gp,3g2,mj2".
    public var format: String
    /// libav's name for people: "QuickTime / MOV".
    public var formatName: String
    /// Seconds; `nil` if unknown.
    public var duration: Double?
    /// Seconds of the input's own clock at which it starts.
    public var start: Double?
    /// Bits per second, of everything.
    public var bitRate: Int64?
    /// Bytes; `nil` for a pipe.
    public var bytes: Int64?
    /// The file's metadata by libav's keys; of a key that comes twice, the first value.
    public var tags: [String: String]
    /// In the file's order; empty where there are none.
    public var chapters: [Chapter]
    /// In the order of the file's indices.
    public var streams: [Stream]

    /// A named stretch of the file.
    public struct Chapter: Codable, Sendable, Equatable {
        /// Seconds.
        public var start: Double
        /// Seconds.
        public var end: Double
        /// `nil` where it has no title.
        public var title: String?
    }

    /// One stream. Exactly one of `video` and `audio` is there for pictures and sound, none for the rest.
    public struct Stream: Codable, Sendable, Equatable {
        /// The place among all streams of the file, from 0.
        public var index: Int
        /// "video", "audio", "subtitle", "attachedPicture" or "data".
        public var kind: String
        /// libav's name: "h264".
        public var codec: String
        /// libav's name: "High"; `nil` if unknown.
        public var profile: String?
        /// A four-character code of the container: "avc1".
        public var tag: String?
        /// As the container has it, mostly three letters of ISO 639-2: "eng"; `nil` if it names none.
        public var language: String?
        /// "default", "forced", "hearing_impaired", …
        public var dispositions: [String]
        /// Of the stream's timestamps, as a fraction of a second: "1/90000".
        public var timeBase: String
        /// Seconds.
        public var start: Double?
        /// Seconds; `nil` if the container does not say.
        public var duration: Double?
        /// Frames by the container's count, where it has one.
        public var frames: Int64?
        /// Bits per second.
        public var bitRate: Int64?
        /// The stream's metadata by libav's keys; of a key that comes twice, the first value.
        public var tags: [String: String]
        /// For video and attached pictures only.
        public var video: Video?
        /// For audio only.
        public var audio: Audio?
    }

    /// What is known of a stream of pictures.
    public struct Video: Codable, Sendable, Equatable {
        /// As stored, in pixels.
        public var width: Int
        /// As stored, in pixels.
        public var height: Int
        /// As shown, in square pixels, turned upright.
        public var displayWidth: Int
        /// As shown, in square pixels, turned upright.
        public var displayHeight: Int
        /// "1:1"; `nil` if unknown.
        public var sampleAspectRatio: String?
        /// Of the stored picture, before it is turned upright: "16:9"; `nil` if `sampleAspectRatio` is.
        public var displayAspectRatio: String?
        /// Degrees clockwise that stand it upright.
        public var rotation: Double
        /// Whether it is mirrored left to right before it is turned by `rotation`.
        public var isMirrored: Bool
        /// Pictures per second on average, as a fraction.
        public var averageFrameRate: String?
        /// The rate at which every timestamp can be shown exactly, as a fraction.
        public var realFrameRate: String?
        /// Whether the distances between pictures differ by more than rounding: by an MP4's or MOV's index, else by the
        /// two rates above.
        public var isVariableFrameRate: Bool
        /// libav's name: "yuv420p"; `nil` if unknown.
        public var pixelFormat: String?
        /// Bits of a sample; `nil` if the pixel format is unknown.
        public var bitDepth: Int?
        /// "4.1"; `nil` if unknown.
        public var level: String?
        /// "progressive", "top_first", "bottom_first"; `nil` if unknown.
        public var fieldOrder: String?
        /// Colour as the stream is tagged.
        public var color: Color
        /// For PQ and HLG only.
        public var hdr: HDR?
        /// Seconds from one key frame to the next, at most; only on request.
        public var keyFrameSeconds: Double?
    }

    /// Colour by the names that libav gives the codes of ITU-T H.273.
    public struct Color: Codable, Sendable, Equatable {
        /// "bt709", "bt2020", …; `nil` if unknown.
        public var primaries: String?
        /// The transfer characteristics: "bt709", "smpte2084", …; `nil` if unknown.
        public var transfer: String?
        /// The Y'CbCr matrix: "bt709", "bt2020nc", …; `nil` if unknown.
        public var matrix: String?
        /// "tv" (limited) or "pc" (full).
        public var range: String?
    }

    /// High dynamic range: the transfer, and the brightness that the stream's metadata tells, `nil` where it does not.
    public struct HDR: Codable, Sendable, Equatable {
        /// "PQ" or "HLG".
        public var transfer: String
        /// cd/m², of the mastering display.
        public var minimumLuminance: Double?
        /// cd/m², of the mastering display.
        public var maximumLuminance: Double?
        /// cd/m², of the content.
        public var maximumContentLight: Int?
        /// cd/m², averaged over a frame, of the brightest one.
        public var maximumFrameAverageLight: Int?
    }

    /// What is known of a stream of sound.
    public struct Audio: Codable, Sendable, Equatable {
        /// Hz.
        public var sampleRate: Int
        /// 1 for mono, 2 for stereo.
        public var channels: Int
        /// "stereo", "5.1"
        public var channelLayout: String
        /// libav's name: "fltp"; `nil` if unknown.
        public var sampleFormat: String?
    }
}
