import CAVShim

/// Mends jumps in the timestamps of formats where they are part of the format (a transport stream that was cut
/// together, or whose clock was reset), so that time goes on evenly.
struct TimestampMender {
    private let isDiscontinuous: Bool
    /// Microseconds that are added to all timestamps from the last jump on.
    private var offset: Int64 = 0
    private var lastDTS: [Int: Int64] = [:]
    /// What counts as a jump, in microseconds: less is a gap that was meant.
    private let threshold: Int64 = 10_000_000

    init(isDiscontinuous: Bool) { self.isDiscontinuous = isDiscontinuous }

    /// - Parameter isSparse: whether the stream comes only now and then, as subtitles do: a pause of theirs is no jump,
    ///   but they follow those of the others.
    mutating func mend(_ packet: Packet, timeBase: Rational, isSparse: Bool = false, control: JobControl) {
        guard isDiscontinuous, let dts = packet.dts ?? packet.pts else { return }
        var time = (timeBase.rescale(dts, to: .microseconds) + offset).boundedTime
        if !isSparse, let last = lastDTS[packet.stream] {
            let jump = time - last
            if abs(jump) > threshold {
                // The same jump reaches every stream; the first to see it moves them all.
                offset = (offset - jump).boundedTime
                time -= jump
                control.warnings.add(
                    MediaWarning(
                        .timestamps, "timestamps jump by \(Double(jump) / 1e6) s; made continuous",
                        stream: packet.stream))
            }
        }
        lastDTS[packet.stream] = (time + timeBase.rescale(packet.duration, to: .microseconds)).boundedTime
        guard offset != 0 else { return }
        let shift = Rational.microseconds.rescale(offset, to: timeBase)
        if let pts = packet.pts { packet.pts = (pts + shift).boundedTime }
        if let dts = packet.dts { packet.dts = (dts + shift).boundedTime }
    }
}
