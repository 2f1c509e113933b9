import ByteIO
import CAVShim
import Glibc

/// An AVIOContext that reads from a ``ByteSource``. The source's own errors are parked here and thrown to the caller
/// of libav, which would turn them into a number.
///
/// Thread safety: used by the demuxer's thread alone.
final class InputBridge {
    let source: any ByteSource
    private(set) var io: UnsafeMutablePointer<AVIOContext>?
    /// Bytes that were read from the source, repeated reads counted again.
    private(set) var bytesRead: Int64 = 0
    private(set) var readsExactly = false
    private let control: JobControl
    private var position: Int64 = 0
    private var parked: (any Error)?

    /// - Parameter bufferSize: bytes read at once. Small where a demuxer skips most of the file.
    init(source: any ByteSource, control: JobControl, bufferSize: Int) throws {
        self.source = source
        self.control = control
        io = try allocated(
            cav_io_alloc(
                Int32(bufferSize), 0, Unmanaged.passUnretained(self).toOpaque(),
                { opaque, buffer, size in
                    guard let opaque, let buffer else { return cav_error(EINVAL) }
                    let bridge = Unmanaged<InputBridge>.fromOpaque(opaque).takeUnretainedValue()
                    return bridge.read(UnsafeMutableRawBufferPointer(start: buffer, count: Int(size)))
                }, nil,
                { opaque, offset, whence in
                    guard let opaque else { return Int64(cav_error(EINVAL)) }
                    return Unmanaged<InputBridge>.fromOpaque(opaque).takeUnretainedValue().seek(offset, whence)
                }), "an input buffer")
        io?.pointee.seekable = source.isSeekable ? AVIO_SEEKABLE_NORMAL : 0
        control.onStop { [weak source] in source?.cancel() }
    }

    deinit { cav_io_free(&io) }

    /// From now on reads what is asked for and no more: libav would otherwise read through gaps of up to 32 KiB
    /// instead of seeking over them, and fetch most of a file for one of its streams.
    func readExactly() {
        guard source.isSeekable else { return }
        readsExactly = true
        io?.pointee.direct = 1
    }

    /// Throws what the source threw since the last call, if anything.
    func rethrow() throws {
        guard let error = parked else { return }
        parked = nil
        throw MediaError.wrapping(error, input: source.name)
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int32 {
        do {
            // Also while an input is opened and analysed, when nobody else watches the clock.
            try control.checkpoint()
            let count = try source.read(into: buffer, at: position)
            // libav takes 0 for "again", for ever.
            guard count > 0 else { return CAV_ERROR_EOF }
            position += Int64(count)
            bytesRead += Int64(count)
            return Int32(count)
        } catch {
            parked = error
            return control.isStopped ? CAV_ERROR_EXIT : cav_error(EIO)
        }
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        let unsupported = Int64(cav_error(ENOSYS))
        if whence & AVSEEK_SIZE != 0 { return source.length ?? unsupported }
        let target: Int64
        switch whence & ~AVSEEK_FORCE {
        case SEEK_SET: target = offset
        case SEEK_CUR: target = position &+ offset
        case SEEK_END:
            guard let length = source.length else { return unsupported }
            target = length &+ offset
        default: return Int64(cav_error(EINVAL))
        }
        guard target >= 0 else { return Int64(cav_error(EINVAL)) }
        guard source.isSeekable || target == position else { return unsupported }
        position = target
        return target
    }
}
