/// A font handed over in memory: TrueType, OpenType or a collection of them.
public struct FontFile: Sendable {
    /// A name for messages, such as the file's.
    public var name: String
    /// The whole file.
    public var bytes: [UInt8]

    /// Takes any bytes: what is no font is named in the renderer's ``FontReport``.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}
