import ByteIO

/// Passes a muxer's writes on to a sink: those at the end are appended, those before it rewrite the head.
final class DirectOutput: MuxerOutput {
    /// The widest gap, in bytes, that a write beyond the end may leave. It is filled with zeros.
    static let widestGap: Int64 = 64 << 20

    let sink: any ByteSink
    private(set) var size: Int64 = 0
    var sinkSize: Int64 { size }

    init(_ sink: any ByteSink) {
        self.sink = sink
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws {
        guard !bytes.isEmpty else { return }
        let (end, overflow) = position.addingReportingOverflow(Int64(bytes.count))
        guard position >= 0, !overflow else {
            throw MediaError(.io, "cannot write at byte \(position): there is no such place", input: sink.name)
        }
        if position > size { try fillGap(to: position) }
        let overwritten = Int(min(size - position, Int64(bytes.count)))
        if overwritten > 0 {
            guard position + Int64(overwritten) <= sink.rewritableHead else {
                throw MediaError(
                    .io,
                    "cannot go back to byte \(position) of the output: "
                        + (sink.rewritableHead > 0
                            ? "only its first \(sink.rewritableHead) bytes can be written again"
                            : "nothing in it can be written again"),
                    hint: "write to a file, or choose a format that is written in one go, such as mpegts",
                    input: sink.name)
            }
            try sink.rewrite(UnsafeRawBufferPointer(rebasing: bytes[..<overwritten]), at: position)
        }
        if overwritten < bytes.count {
            try sink.write(UnsafeRawBufferPointer(rebasing: bytes[overwritten...]))
            size = end
        }
    }

    func finish() throws -> [String] { [] }

    /// Appends zeros, as a file system does where a file is written beyond its end.
    private func fillGap(to position: Int64) throws {
        guard position - size <= Self.widestGap else {
            throw MediaError(
                .io, "cannot write at byte \(position): the output is only \(size) bytes long", input: sink.name)
        }
        try appendZeros(position - size)
    }

    /// Appends `count` zero bytes.
    func appendZeros(_ count: Int64) throws {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 64 << 10)))
        var left = count
        while left > 0 {
            let part = Int(min(left, Int64(zeros.count)))
            try zeros.withUnsafeBytes { try sink.write(UnsafeRawBufferPointer(rebasing: $0[..<part])) }
            size += Int64(part)
            left -= Int64(part)
        }
    }
}

extension MuxerOutput {
    func write(_ bytes: some Collection<UInt8>, at position: Int64) throws {
        let done: Void? = try bytes.withContiguousStorageIfAvailable {
            try write(UnsafeRawBufferPointer($0), at: position)
        }
        if done == nil { try Array(bytes).withUnsafeBytes { try write($0, at: position) } }
    }
}
