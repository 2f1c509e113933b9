import CAVShim

// Sound as numbers, where the engine itself mixes it.
extension Frame {
    /// Each channel's samples of sound in planar floating point; empty of any other format.
    var planarSamples: [[Float]] {
        guard format == AV_SAMPLE_FMT_FLTP.rawValue else { return [] }
        return (0..<channelCount).compactMap { channel in
            plane(channel).map { plane in
                plane.base.withMemoryRebound(to: Float.self, capacity: sampleCount) {
                    Array(UnsafeBufferPointer(start: $0, count: sampleCount))
                }
            }
        }
    }

    /// A frame of sound in planar floating point.
    ///
    /// - Parameters:
    ///   - samples: of each channel, all of one count.
    ///   - layout: as ``ChannelLayout`` writes it; of as many channels.
    static func sound(_ samples: [[Float]], sampleRate: Int, layout: String) throws -> Frame {
        let frame = try Frame()
        let count = samples.first?.count ?? 0
        frame.raw.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
        frame.raw.pointee.nb_samples = Int32(count)
        frame.raw.pointee.sample_rate = Int32(sampleRate)
        try check(av_channel_layout_from_string(&frame.raw.pointee.ch_layout, layout), "bad channel layout")
        guard frame.channelCount == samples.count else {
            throw MediaError(.internal, "sound of \(samples.count) channels is not \(layout)")
        }
        try check(av_frame_get_buffer(frame.raw, 0), "no memory for sound")
        for (channel, samples) in samples.enumerated() {
            guard let plane = frame.plane(channel) else { throw MediaError(.internal, "sound without a plane") }
            plane.base.withMemoryRebound(to: Float.self, capacity: count) {
                $0.update(from: samples, count: count)
            }
        }
        return frame
    }
}
