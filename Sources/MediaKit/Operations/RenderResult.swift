/// What a transcode or burn-in has made.
public struct RenderResult: Codable, Sendable, Equatable {
    /// One stream of the output.
    public struct Stream: Codable, Sendable, Equatable {
        public var index: Int
        /// "video", "audio" or "subtitle".
        public var kind: String
        /// The codec's name, such as "h264".
        public var codec: String
        /// Whether it was copied without being decoded.
        public var copied: Bool
        /// The stream's index in the input.
        public var sourceIndex: Int
        public var width: Int?
        public var height: Int?
        public var pixelFormat: String?
        /// Hz.
        public var sampleRate: Int?
        public var channels: Int?
        /// Pictures, for video.
        public var frames: Int64?
        /// Bytes of packets.
        public var bytes: Int64
        /// Seconds of the result at which it starts and how long it lasts.
        public var start: Double
        public var duration: Double
    }

    /// Where it was written, as the request named it.
    public var output: String
    public var container: Container
    /// Seconds: the end of the longest stream.
    public var duration: Double
    /// Bytes of the output.
    public var bytes: Int64
    public var streams: [Stream]
    /// Seconds on the clock.
    public var wallSeconds: Double
    /// CPU seconds of the process meanwhile; jobs at the same time are counted together.
    public var cpuSeconds: Double
    /// Seconds of the result per second on the clock.
    public var speed: Double
    /// Bytes read from the inputs.
    public var bytesRead: Int64
    public var warnings: [MediaWarning]
    /// The libraries that made it: a result is only reproducible with the same.
    public var libraries: [LibavLibrary.Version]
}
