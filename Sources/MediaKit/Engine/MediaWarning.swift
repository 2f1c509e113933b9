/// Something a user should know about a result that was made all the same.
public struct MediaWarning: Codable, Sendable, Hashable, CustomStringConvertible {
    /// What kind of warning it is. Open: more may come.
    public struct Code: RawRepresentable, Codable, Hashable, Sendable {
        /// The code as programs see it, in snake case.
        public let rawValue: String
        /// Makes any code; those that are known have names.
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(from decoder: any Swift.Decoder) throws {
            rawValue = try decoder.singleValueContainer().decode(String.self)
        }
        public func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(rawValue)
        }

        /// Frames that could not be decoded and are missing.
        public static let lostFrames = Code(rawValue: "lost_frames")
        /// Frames that were damaged and shown as well as possible.
        public static let concealedFrames = Code(rawValue: "concealed_frames")
        /// The input is damaged in a way that cost no frame as far as can be told.
        public static let damagedInput = Code(rawValue: "damaged_input")
        /// The input or result is shorter or longer than it says or should be.
        public static let durationMismatch = Code(rawValue: "duration_mismatch")
        /// A font that was asked for is not there; another took its place.
        public static let substitutedFont = Code(rawValue: "substituted_font")
        /// A character that no font can draw.
        public static let missingGlyph = Code(rawValue: "missing_glyph")
        /// A subtitle cue that was skipped or changed.
        public static let subtitle = Code(rawValue: "subtitle")
        /// A stream of the input that is not in the output.
        public static let droppedStream = Code(rawValue: "dropped_stream")
        /// Timestamps that had to be mended.
        public static let timestamps = Code(rawValue: "timestamps")
        /// The output's layout is not the one asked for, but valid.
        public static let container = Code(rawValue: "container")
        /// An input that cannot be read as fast as usual, or not sought in.
        public static let slowInput = Code(rawValue: "slow_input")
        /// A setting that was adjusted.
        public static let adjusted = Code(rawValue: "adjusted")
    }

    /// What kind of warning it is, for programs; `message` tells people.
    public var code: Code
    /// One sentence for a person.
    public var message: String
    /// The stream's index in the input, where it concerns one.
    public var stream: Int?

    /// A warning about a stream by its index in the input, or with `nil` about the whole.
    public init(_ code: Code, _ message: String, stream: Int? = nil) {
        self.code = code
        self.message = message
        self.stream = stream
    }

    public var description: String { message }
}
