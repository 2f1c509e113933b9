/// Bytes in memory.
public final class MemorySource: ByteSource {
    /// What errors call the bytes. Default "memory".
    public let name: String
    /// The count of bytes, never `nil`.
    public var length: Int64? { Int64(bytes.count) }
    /// Always true: a read may begin anywhere.
    public var isSeekable: Bool { true }
    private let bytes: [UInt8]
    private let cancellation = Cancellation()

    /// Holds the bytes that are given; `name` is what errors call them.
    public init(_ bytes: [UInt8], name: String = "memory") {
        self.bytes = bytes
        self.name = name
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try cancellation.check(name)
        guard offset >= 0, offset < Int64(bytes.count) else { return 0 }
        let start = Int(offset)
        let count = min(buffer.count, bytes.count - start)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
        return count
    }

    public func cancel() { cancellation.cancel() }
}
