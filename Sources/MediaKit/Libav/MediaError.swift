/// The one error type of MediaKit.
///
/// `description` is one sentence for a person, free of credentials; the other fields are for programs.
public struct MediaError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. Open: match the ones you know and treat others as `internal`.
    public struct Code: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
        /// The code as programs see it, in snake case.
        public let rawValue: String
        /// Makes any code; those that are known have names.
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        /// The request itself makes no sense: a value out of range, an unknown key, two options that exclude
        /// each other.
        public static let badRequest = Code(rawValue: "bad_request")
        /// The input is not media, or is damaged beyond the tolerance asked for.
        public static let badInput = Code(rawValue: "bad_input")
        /// Valid, but not possible with these libraries or in this container.
        public static let unsupported = Code(rawValue: "unsupported")
        /// An input, stream or font that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// The output cannot be created: it exists, or its folder is missing or closed.
        public static let cannotCreate = Code(rawValue: "cannot_create")
        /// A limit of the request was reached: pixels, duration, bytes, streams, wall time, memory.
        public static let resourceLimit = Code(rawValue: "resource_limit")
        /// The work was cancelled.
        public static let cancelled = Code(rawValue: "cancelled")
        /// Reading or writing failed: a device, a full disk, a network.
        public static let io = Code(rawValue: "io")
        /// A fault of this library or the ones below it.
        public static let `internal` = Code(rawValue: "internal")
    }

    /// What kind of failure it is, for programs; `description` tells people.
    public var code: Code
    /// What failed, without the place: "no decoder for codec dvvideo".
    public var message: String
    /// What to do about it, where that is known.
    public var hint: String?
    /// The operation, such as "burn_subtitles".
    public var operation: String?
    /// The name of the input or output it happened on.
    public var input: String?
    /// The stream's index in that input or output.
    public var stream: Int?
    /// libav's own error number and text, where the failure came from there.
    public var libav: Libav?
    /// The last log lines that libav wrote for this job, oldest first.
    public var log: [String]
    /// The error behind this one: a source's or sink's own, unchanged.
    public var cause: (any Error)?

    /// An error number of libav with its text.
    public struct Libav: Sendable, Codable, Equatable {
        /// The AVERROR code (negative).
        public var code: Int32
        /// libav's words for it: "Invalid data found when processing input".
        public var text: String
    }

    /// Fields that are not given are `nil`, the log empty. The engine adds the operation to what it throws.
    public init(
        _ code: Code, _ message: String, hint: String? = nil, operation: String? = nil, input: String? = nil,
        stream: Int? = nil, libav: Libav? = nil, log: [String] = [], cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.operation = operation
        self.input = input
        self.stream = stream
        self.libav = libav
        self.log = log
        self.cause = cause
    }

    public var description: String {
        var text = message
        if let input, !message.contains(input) { text = "\(input): \(text)" }
        if let stream { text += " (stream \(stream))" }
        if let libav, !text.contains(libav.text) { text += ": \(libav.text)" }
        if let hint { text += ". \(hint.prefix(1).uppercased())\(hint.dropFirst())" }
        return text
    }
}

extension MediaError {
    /// The same error, with the input's name where it had none and is about the media.
    func naming(_ input: String?) -> MediaError {
        guard self.input == nil, ![.cancelled, .badRequest].contains(code) else { return self }
        var named = self
        named.input = input
        return named
    }

    /// Lets `catch MediaError.Code.badInput` style matching work on any error.
    public static func ~= (code: Code, error: MediaError) -> Bool { error.code == code }
}
