import CAVShim

/// The owner of one AVFrame: a picture, or a run of sound samples, uncompressed.
///
// Safe to send: a frame is touched by one thread at a time; handing it to a channel gives it away. Its buffers are
// reference counted by libav with atomics, and are written only through `makeWritable`, which copies shared ones.
final class Frame: @unchecked Sendable {
    let raw: UnsafeMutablePointer<AVFrame>

    init() throws { raw = try allocated(av_frame_alloc(), "a frame") }

    private init(takingOwnershipOf raw: UnsafeMutablePointer<AVFrame>) { self.raw = raw }

    deinit {
        var pointer: UnsafeMutablePointer<AVFrame>? = raw
        av_frame_free(&pointer)
    }

    /// Another reference to the same buffers, with properties of its own.
    func ref() throws -> Frame { Frame(takingOwnershipOf: try allocated(av_frame_clone(raw), "a frame")) }

    /// In the time base of whoever produced it, or `nil` if unknown.
    var pts: Int64? {
        get { raw.pointee.pts == CAV_NOPTS ? nil : raw.pointee.pts }
        set { raw.pointee.pts = newValue ?? CAV_NOPTS }
    }
    /// libav's best guess where the container gave no usable timestamp.
    var bestEffortTimestamp: Int64? {
        raw.pointee.best_effort_timestamp == CAV_NOPTS ? nil : raw.pointee.best_effort_timestamp
    }
    /// 0 if unknown.
    var duration: Int64 {
        get { cav_frame_duration(raw) }
        set { cav_frame_set_duration(raw, newValue) }
    }
    var width: Int { Int(raw.pointee.width) }
    var height: Int { Int(raw.pointee.height) }
    var sampleCount: Int { Int(raw.pointee.nb_samples) }
    var sampleRate: Int { Int(raw.pointee.sample_rate) }
    var channelCount: Int { Int(raw.pointee.ch_layout.nb_channels) }
    var format: Int32 { raw.pointee.format }
    var sampleAspectRatio: Rational { Rational(raw.pointee.sample_aspect_ratio) }
    var isKey: Bool { cav_frame_is_key(raw) != 0 }
    var isInterlaced: Bool { cav_frame_is_interlaced(raw) != 0 }
    var isDamaged: Bool { cav_frame_is_damaged(raw) != 0 }
    /// What the frame keeps alive, in bytes.
    var byteCount: Int { Int(cav_frame_bytes(raw)) }

    /// How it says itself that it is to be shown, as photos of telephones do; `nil` if it says nothing.
    var orientation: Orientation? {
        guard let matrix = av_frame_get_side_data(raw, AV_FRAME_DATA_DISPLAYMATRIX), matrix.pointee.size >= 36 else {
            return nil
        }
        return Orientation(matrix: UnsafeRawBufferPointer(start: matrix.pointee.data, count: Int(matrix.pointee.size)))
    }

    func unref() { av_frame_unref(raw) }

    /// A plane's rows. `stride` is in bytes. Valid as long as the frame is.
    func plane(_ index: Int) -> (base: UnsafeMutablePointer<UInt8>, stride: Int)? {
        var stride: Int32 = 0
        guard let base = cav_frame_plane(raw, Int32(index), &stride) else { return nil }
        return (base, Int(stride))
    }

    /// A frame with the same picture in buffers that nobody else refers to: this one if they are its own already,
    /// else a copy from `pool`.
    func makeWritable(pool: FramePool) throws -> Frame {
        if av_frame_is_writable(raw) != 0 { return self }
        let copy = try pool.frame(like: self)
        try check(av_frame_copy(copy.raw, raw), "cannot copy a frame")
        try check(av_frame_copy_props(copy.raw, raw), "cannot copy a frame's properties")
        return copy
    }
}
