/// What a transcode or burn-in has made.
public struct RenderResult: Codable, Sendable, Equatable {
    /// One stream of the output.
    public struct Stream: Codable, Sendable, Equatable {
        /// The stream's index in the output.
        public var index: Int
        /// "video", "audio" or "subtitle".
        public var kind: String
        /// The codec's name, such as "h264".
        public var codec: String
        /// Whether it was copied without being decoded.
        public var copied: Bool
        /// The stream's index in the input; `nil` for one that was made anew, such as a text track.
        public var sourceIndex: Int?
        /// Pixels as stored in the output; `nil` but for video.
        public var width: Int?
        /// Pixels as stored in the output; `nil` but for video.
        public var height: Int?
        /// libav's name: "yuv420p"; `nil` but for video.
        public var pixelFormat: String?
        /// Hz.
        public var sampleRate: Int?
        /// 1 for mono, 2 for stereo; `nil` but for audio.
        public var channels: Int?
        /// Pictures, for video.
        public var frames: Int64?
        /// Bytes of packets.
        public var bytes: Int64
        /// Seconds of the result at which it starts and how long it lasts.
        public var start: Double
        /// Seconds that it lasts.
        public var duration: Double
    }

    /// Where it was written, as the request named it.
    public var output: String
    /// The container that was written.
    public var container: Container
    /// Seconds: the end of the longest stream.
    public var duration: Double
    /// Bytes of the output.
    public var bytes: Int64
    /// In the output's order; a stream without any packet is only there if it is a subtitle's.
    public var streams: [Stream]
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
    public var cpuSeconds: Double
    /// Seconds of the result per second on the clock.
    public var speed: Double
    /// Bytes read from the inputs.
    public var bytesRead: Int64
    /// What a user should know, each once and 200 at most, in the order in which it was found.
    public var warnings: [MediaWarning]
    /// The libraries that made it: a result is only reproducible with the same.
    public var libraries: [LibavLibrary.Version]
}
