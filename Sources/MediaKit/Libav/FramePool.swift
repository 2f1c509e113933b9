import CAVShim

/// Picture buffers that are used again, so that a copied frame costs no page faults.
///
/// Thread safety: used by one thread; the buffers that it hands out may be released on any.
final class FramePool {
    private var pools: [OpaquePointer?] = [nil, nil, nil, nil]
    private var sizes: [Int32] = [0, 0, 0, 0]

    deinit {
        for index in pools.indices { av_buffer_pool_uninit(&pools[index]) }
    }

    /// A frame of the size and format of `other`, its contents undefined.
    func frame(like other: Frame) throws -> Frame {
        let frame = try Frame()
        frame.raw.pointee.format = other.raw.pointee.format
        frame.raw.pointee.width = other.raw.pointee.width
        frame.raw.pointee.height = other.raw.pointee.height
        try check(cav_frame_from_pool(frame.raw, &pools, &sizes, Int32(pools.count)), "no memory for a frame")
        return frame
    }
}
