/// An error of a byte source or sink.
public struct ByteIOError: Error, Sendable, CustomStringConvertible {
    /// What went wrong. Open: more codes may come.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code as programs see it, in snake case.
        public let rawValue: String
        /// Makes any code; those that are known have names.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// There is nothing under that name.
        public static let notFound = Code(rawValue: "not_found")
        /// Something is there already and replacing it was not asked for.
        public static let exists = Code(rawValue: "exists")
        /// It may not be read or created.
        public static let permission = Code(rawValue: "permission")
        /// The device or quota is full.
        public static let noSpace = Code(rawValue: "no_space")
        /// More bytes than the reader allows.
        public static let tooLarge = Code(rawValue: "too_large")
        /// A read out of order from a source that cannot seek, or a rewrite outside the rewritable head.
        public static let notSeekable = Code(rawValue: "not_seekable")
        /// The work was cancelled.
        public static let cancelled = Code(rawValue: "cancelled")
        /// Any other failure of the device or the other end.
        public static let io = Code(rawValue: "io")
    }

    /// What went wrong, for programs; `message` tells people.
    public var code: Code
    /// One sentence that names the source or sink.
    public var message: String
    /// The system's error number, where one was given.
    public var errno: Int32?

    /// `message` is one sentence that names the source or sink; `errno` is `nil` where the failure is not the system's.
    public init(_ code: Code, _ message: String, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    public var description: String { message }
}
