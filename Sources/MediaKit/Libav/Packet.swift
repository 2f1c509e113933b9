import CAVShim

/// The owner of one AVPacket: a piece of encoded data of one stream.
///
// Safe to send: a packet is touched by one thread at a time; handing it to a channel gives it away. The data behind
// it is reference counted by libav with atomics and never written after it was read.
final class Packet: @unchecked Sendable {
    let raw: UnsafeMutablePointer<AVPacket>

    init() throws { raw = try allocated(av_packet_alloc(), "a packet") }

    /// A packet with a copy of `bytes`.
    init(_ bytes: [UInt8]) throws {
        raw = try allocated(av_packet_alloc(), "a packet")
        try check(av_new_packet(raw, Int32(bytes.count)), "no memory for a packet")
        if let place = raw.pointee.data { place.update(from: bytes, count: bytes.count) }
    }

    private init(takingOwnershipOf raw: UnsafeMutablePointer<AVPacket>) { self.raw = raw }

    deinit {
        var pointer: UnsafeMutablePointer<AVPacket>? = raw
        av_packet_free(&pointer)
    }

    /// Another reference to the same data, whose timestamps and stream may be changed apart.
    func ref() throws -> Packet { Packet(takingOwnershipOf: try allocated(av_packet_clone(raw), "a packet")) }

    var stream: Int {
        get { Int(raw.pointee.stream_index) }
        set { raw.pointee.stream_index = Int32(newValue) }
    }
    /// In the time base of its stream, or `nil` if unknown.
    var pts: Int64? {
        get { raw.pointee.pts == CAV_NOPTS ? nil : raw.pointee.pts }
        set { raw.pointee.pts = newValue ?? CAV_NOPTS }
    }
    var dts: Int64? {
        get { raw.pointee.dts == CAV_NOPTS ? nil : raw.pointee.dts }
        set { raw.pointee.dts = newValue ?? CAV_NOPTS }
    }
    /// 0 if unknown.
    var duration: Int64 {
        get { raw.pointee.duration }
        set { raw.pointee.duration = newValue }
    }
    /// Bytes of data.
    var size: Int { Int(raw.pointee.size) }
    /// Whether there is nothing in it: a decoder would take it for the end of the stream.
    var isEmpty: Bool { raw.pointee.size == 0 && raw.pointee.side_data_elems == 0 }
    var isKey: Bool {
        get { raw.pointee.flags & AV_PKT_FLAG_KEY != 0 }
        set {
            raw.pointee.flags = newValue ? raw.pointee.flags | AV_PKT_FLAG_KEY : raw.pointee.flags & ~AV_PKT_FLAG_KEY
        }
    }
    var isCorrupt: Bool { raw.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 }
    /// To be decoded but not shown: outside an edit list.
    var isDiscarded: Bool { raw.pointee.flags & AV_PKT_FLAG_DISCARD != 0 }

    /// Makes timestamps that no real input has unknown, so that nobody has to expect them in arithmetic.
    ///
    /// - Parameter timeBase: of the packet's stream.
    func dropImpossibleTimes(timeBase: Rational) {
        if let pts, pts != pts.boundedTime { self.pts = nil }
        if let dts, dts != dts.boundedTime { self.dts = nil }
        // A picture may stand for days, but not for weeks.
        if duration < 0 || timeBase.seconds(duration) > 1e6 { duration = 0 }
    }

    func rescale(from: Rational, to: Rational) { av_packet_rescale_ts(raw, from.raw, to.raw) }
    func unref() { av_packet_unref(raw) }

    /// A copy of the data.
    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: raw.pointee.data, count: size)) }
}
