import CAVShim

/// Cuts sound into frames of the one size that an encoder takes.
///
/// Thread safety: used by one thread.
final class SoundFramer {
    private let fifo: OpaquePointer
    private let size: Int
    private let format: FrameFormat
    private var next: Int64?

    init(size: Int, format: FrameFormat) throws {
        self.size = size
        self.format = format
        fifo = try allocated(
            av_audio_fifo_alloc(
                AVSampleFormat(rawValue: format.format), Int32(ChannelLayout.count(format.channelLayout)),
                Int32(size * 2)), "a sound buffer")
    }

    deinit { av_audio_fifo_free(fifo) }

    /// Takes a frame and gives all whole frames that there are now.
    func add(_ frame: Frame) throws -> [Frame] {
        if next == nil { next = frame.pts ?? 0 }
        if av_audio_fifo_size(fifo) == 0, frame.sampleCount == size {
            // The usual case after the filter graph was told the size: nothing to copy.
            if let pts = frame.pts { next = pts + Int64(size) }
            return [frame]
        }
        try check(
            frame.raw.pointee.extended_data.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) {
                av_audio_fifo_write(fifo, $0, Int32(frame.sampleCount))
            }, "no memory for sound")
        var frames: [Frame] = []
        while Int(av_audio_fifo_size(fifo)) >= size { frames.append(try take(size)) }
        return frames
    }

    /// The shorter rest, if any.
    func finish() throws -> Frame? {
        let count = Int(av_audio_fifo_size(fifo))
        return count > 0 ? try take(count) : nil
    }

    private func take(_ count: Int) throws -> Frame {
        let frame = try Frame()
        frame.raw.pointee.format = format.format
        frame.raw.pointee.nb_samples = Int32(count)
        frame.raw.pointee.sample_rate = Int32(format.sampleRate)
        try check(
            av_channel_layout_from_string(&frame.raw.pointee.ch_layout, format.channelLayout), "bad channel layout")
        try check(av_frame_get_buffer(frame.raw, 0), "no memory for sound")
        try check(
            frame.raw.pointee.extended_data.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) {
                av_audio_fifo_read(fifo, $0, Int32(count))
            }, "cannot buffer sound")
        frame.pts = next
        frame.duration = Int64(count)
        next = (next ?? 0) + Int64(count)
        return frame
    }
}
