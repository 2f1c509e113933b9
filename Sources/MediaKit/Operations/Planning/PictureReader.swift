import CAVShim

/// Fetches single pictures of a video stream: goes to the key frame before, and decodes from there.
///
/// Thread safety: used by the job's thread.
final class PictureReader {
    /// A decoded picture, and when it is shown.
    struct Picture {
        var frame: Frame
        /// Microseconds from the input's beginning.
        var time: Int64
    }

    private let demuxer: Demuxer
    private let stream: InputStream
    private let decoder: Decoder
    private let control: JobControl
    private let strict: Bool
    private var canSeek: Bool
    private var isDrained = false
    /// A stream may be entered between two key frames: what comes before the next cannot be decoded.
    private var awaitsKeyFrame = false
    /// The last picture that was decoded, and one that lies behind the moment that was asked for.
    private var last: Picture?
    private var ahead: Picture?

    init(_ stream: InputStream, demuxer: Demuxer, tolerance: Tolerance, control: JobControl) throws {
        self.stream = stream
        self.demuxer = demuxer
        self.control = control
        strict = tolerance.strict
        canSeek = demuxer.isSeekable
        // With frame threads as many packets more are read before the first picture comes out.
        decoder = try Decoder(
            stream: stream, settings: Decoder.Settings(threads: min(4, control.budget.decoderThreads), strict: strict),
            control: control)
        demuxer.discard(allBut: [stream.index])
    }

    /// The picture that is shown at `time`, in microseconds; the first or last one beyond the ends.
    func picture(at time: Int64) throws -> Picture? {
        guard canSeek else { return try shown(at: time) }
        var back: Int64 = 0
        while true {
            let target = time - back
            guard try seek(to: target) else { return try shown(at: time) }
            if let picture = try shown(at: time), picture.time <= time || target <= 0 { return picture }
            guard target > 0 else { return nil }
            back = max(500_000, back * 4)
        }
    }

    /// A picture near `time` that costs little: the key frame before, unless that is not behind `earlier`.
    func picture(near time: Int64, after earlier: Int64?) throws -> Picture? {
        // Within one group of pictures it is read on instead of from the key frame again.
        if let earlier, let key = keyTime(before: time), key <= earlier { return try shown(at: time) }
        guard try canSeek && seek(to: time) else { return try shown(at: time) }
        guard let first = try next() else { return try picture(at: time) }
        last = first
        if let earlier, first.time <= earlier { return try shown(at: time) }
        return first
    }

    /// The next picture; `nil` at the end.
    func next() throws -> Picture? {
        while true {
            try control.checkpoint()
            let frame = try Frame()
            switch try decoder.receive(into: frame) {
            case .ready: return Picture(frame: frame, time: time(of: frame))
            case .end: return nil
            case .again: if isDrained { return nil }
            }
            try feed()
        }
    }

    // MARK: Parts

    /// The last picture that is not behind `time`, reading on from here; if there is none, the first.
    private func shown(at time: Int64) throws -> Picture? {
        if let ahead {
            if ahead.time > time { return last ?? ahead }
            last = ahead
        }
        ahead = nil
        while let picture = try next() {
            if picture.time > time {
                ahead = picture
                return last ?? picture
            }
            last = picture
        }
        return last
    }

    /// Goes to the key frame before `time`. Returns false where the input cannot do that.
    private func seek(to time: Int64) throws -> Bool {
        let first = stream.startTime ?? 0
        let wanted = Rational.microseconds.rescale(demuxer.presentationStart + max(0, time), to: stream.timeBase)
        do {
            try demuxer.seek(to: time <= 0 ? min(first, wanted) : max(first, wanted), stream: stream)
        } catch let error as MediaError where error.libav != nil && !control.isStopped {
            // A container without an index is read from the front to the back.
            canSeek = false
            return false
        }
        decoder.flush()
        isDrained = false
        awaitsKeyFrame = true
        last = nil
        ahead = nil
        return true
    }

    /// Microseconds of the key frame that a seek to `time` leads to, where the container's index tells.
    private func keyTime(before time: Int64) -> Int64? {
        let wanted = Rational.microseconds.rescale(demuxer.presentationStart + time, to: stream.timeBase)
        let number = av_index_search_timestamp(stream.raw, wanted, AVSEEK_FLAG_BACKWARD)
        guard number >= 0, let entry = avformat_index_get_entry(stream.raw, number) else { return nil }
        return stream.timeBase.rescale(entry.pointee.timestamp.boundedTime, to: .microseconds)
            - demuxer.presentationStart
    }

    private func feed() throws {
        let packet = try Packet()
        while try read(packet) {
            guard packet.stream == stream.index, !packet.isEmpty, !awaitsKeyFrame || packet.isKey else {
                packet.unref()
                continue
            }
            awaitsKeyFrame = false
            _ = try decoder.send(packet)
            return
        }
        isDrained = true
        _ = try decoder.send(nil)
    }

    /// Data that the container cannot make sense of is taken for the end.
    private func read(_ packet: Packet) throws -> Bool {
        do {
            return try demuxer.read(into: packet)
        } catch let error as MediaError where error.code == .badInput && error.libav != nil && !strict {
            control.warnings.add(MediaWarning(.damagedInput, "reading stopped: \(error)"))
            return false
        }
    }

    private func time(of frame: Frame) -> Int64 {
        guard let time = frame.bestEffortTimestamp ?? frame.pts else { return (last?.time ?? 0) + 1 }
        return stream.timeBase.rescale(time.boundedTime, to: .microseconds) - demuxer.presentationStart
    }
}
