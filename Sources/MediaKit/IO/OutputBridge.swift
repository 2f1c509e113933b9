import ByteIO
import CAVShim
import Glibc

/// An AVIOContext that writes to a ``MuxerOutput``.
///
/// Thread safety: used by the muxer's thread alone.
final class OutputBridge {
    private(set) var io: UnsafeMutablePointer<AVIOContext>?
    private let output: any MuxerOutput
    private let control: JobControl
    private let name: String
    private var position: Int64 = 0
    private var parked: (any Error)?

    init(output: any MuxerOutput, name: String, seekable: Bool, control: JobControl) throws {
        self.output = output
        self.control = control
        self.name = name
        io = try allocated(
            cav_io_alloc(
                1 << 16, 1, Unmanaged.passUnretained(self).toOpaque(), nil,
                { opaque, buffer, size in
                    guard let opaque, let buffer else { return cav_error(EINVAL) }
                    let bridge = Unmanaged<OutputBridge>.fromOpaque(opaque).takeUnretainedValue()
                    return bridge.write(UnsafeRawBufferPointer(start: buffer, count: Int(size)))
                },
                { opaque, offset, whence in
                    guard let opaque else { return Int64(cav_error(EINVAL)) }
                    return Unmanaged<OutputBridge>.fromOpaque(opaque).takeUnretainedValue().seek(offset, whence)
                }), "an output buffer")
        io?.pointee.seekable = seekable ? AVIO_SEEKABLE_NORMAL : 0
    }

    deinit { cav_io_free(&io) }

    /// Bytes written so far, as the muxer sees them.
    var size: Int64 { output.size }

    func rethrow() throws {
        guard let error = parked else { return }
        parked = nil
        throw MediaError.wrapping(error, input: name)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        if control.isStopped { return CAV_ERROR_EXIT }
        do {
            if let limit = control.limits.outputBytes, position + Int64(bytes.count) > limit {
                throw MediaError.outputTooLarge(name, limit: limit)
            }
            try output.write(bytes, at: position)
            position += Int64(bytes.count)
            return Int32(bytes.count)
        } catch {
            parked = error
            return cav_error(EIO)
        }
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        if whence & AVSEEK_SIZE != 0 { return output.size }
        let target: Int64
        switch whence & ~AVSEEK_FORCE {
        case SEEK_SET: target = offset
        case SEEK_CUR: target = position &+ offset
        case SEEK_END: target = output.size &+ offset
        default: return Int64(cav_error(EINVAL))
        }
        guard target >= 0 else { return Int64(cav_error(EINVAL)) }
        position = target
        return target
    }
}
