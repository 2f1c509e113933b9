import CAVShim

/// Decodes one stream, puts its frames on the result's timeline, and hands them to all branches by reference.
///
// Safe to send: `run` is called by one thread, and the tally is read after it was joined.
final class DecodeStage: Stage, @unchecked Sendable {
    struct Receiver {
        let inbox: Inbox<TimedFrame>
        let pad: Int
    }

    let name: String
    let inbox: Inbox<Packet>
    let stream: InputStream
    private(set) var tally = DecodeTally()
    private var refusedBeforeFirst = 0
    private let decoded: MediaGraph.DecodedStream
    private let decoder: Decoder
    private let tolerance: Tolerance
    private let control: JobControl
    private var receivers: [Receiver]
    private var timeline: any FrameTimeline

    init(
        decoded: MediaGraph.DecodedStream, stream: InputStream, receivers: [Receiver], tolerance: Tolerance,
        threads: Int, control: JobControl
    ) throws {
        self.decoded = decoded
        self.stream = stream
        self.receivers = receivers
        self.tolerance = tolerance
        self.control = control
        name = stream.kind == .audio ? "kiln-dec-audio" : "kiln-dec-video"
        inbox = Inbox(
            pads: 1, items: ChannelBounds.packets.items, bytes: ChannelBounds.packets.bytes,
            totalBytes: ChannelBounds.total)
        decoder = try Decoder(
            stream: stream,
            settings: Decoder.Settings(
                threads: threads, strict: tolerance.strict, keyFramesOnly: decoded.keyFramesOnly), control: control)
        timeline =
            stream.kind == .audio
            ? SoundTimeline(window: decoded.window, streamTimeBase: stream.timeBase)
            : PictureTimeline(window: decoded.window, stream: stream)
    }

    func run() throws {
        control.log.adoptThread()
        while true {
            switch inbox.receive(pad: 0) {
            case .item(let packet):
                if packet.isEmpty { continue }
                tally.packets += 1
                if packet.isCorrupt { tally.corruptPackets += 1 }
                if packet.isCorrupt, tolerance.strict {
                    throw MediaError(
                        .badInput, "damaged or truncated \(stream.codecName) data",
                        hint: "allow losses with tolerance.strict = false", input: stream.demuxer.name,
                        stream: stream.index)
                }
                guard try decode(packet) else { return }
            case .finished:
                guard try decode(nil) else { return }
                _ = try emit(timeline.finish())
                return
            case .pressed, .closed:
                return
            }
        }
    }

    func stop() { inbox.close() }

    func close() {
        // A decoder that was refused packets is told how many in the end.
        tally.refusedPackets = decoder.refusedPackets - refusedBeforeFirst
        tally.missingFrames = timeline.missing
        inbox.close()
        for receiver in receivers { receiver.inbox.finish(pad: receiver.pad) }
    }

    /// - Returns: false if nothing more is wanted.
    private func decode(_ packet: Packet?) throws -> Bool {
        var sent = false
        while true {
            if !sent {
                switch try decoder.send(packet) {
                case .ready, .end: sent = true
                case .again: break
                }
            }
            frames: while true {
                if control.isStopped { return false }
                let frame = try Frame()
                switch try decoder.receive(into: frame) {
                case .ready:
                    guard try accept(frame) else { return false }
                case .again:
                    break frames
                case .end:
                    return true
                }
            }
            if sent { return true }
        }
    }

    private func accept(_ frame: Frame) throws -> Bool {
        // A stream that was recorded from the middle of a group of pictures begins with some that nobody can decode.
        if tally.frames == 0, stream.demuxer.hasDiscontinuousTime { refusedBeforeFirst = decoder.refusedPackets }
        tally.frames += 1
        if frame.isDamaged {
            tally.damagedFrames += 1
            if tolerance.strict {
                throw MediaError(
                    .badInput, "a damaged frame in the \(stream.codecName) data",
                    hint: "allow losses with tolerance.strict = false", input: stream.demuxer.name,
                    stream: stream.index)
            }
        }
        if frame.width > 0 { try checkSize(frame) }
        let placed = try timeline.place(frame)
        if let end = timeline.reached {
            tally.end = end
            if let limit = control.limits.durationSeconds, Double(end) / 1e6 > limit {
                throw MediaError(
                    .resourceLimit, "the input is longer than the limit of \(limit) s",
                    hint: "raise limits.durationSeconds or set an end", input: stream.demuxer.name)
            }
        }
        guard try emit(placed) else { return false }
        tally.reachedWindowEnd = timeline.isPastEnd
        return !timeline.isPastEnd
    }

    private func checkSize(_ frame: Frame) throws {
        guard frame.width * frame.height <= control.limits.pixels else {
            throw MediaError(
                .resourceLimit,
                "pictures of \(frame.width)x\(frame.height) are larger than the limit of \(control.limits.pixels) pixels",
                hint: "raise limits.pixels", input: stream.demuxer.name, stream: stream.index)
        }
    }

    private func emit(_ frames: [TimedFrame]) throws -> Bool {
        for timed in frames {
            let isShared = receivers.count > 1
            try receivers.removeAll { receiver in
                let own = !isShared ? timed : TimedFrame(frame: try timed.frame.ref(), like: timed)
                return !receiver.inbox.send(own, bytes: own.frame.byteCount, pad: receiver.pad)
            }
            if receivers.isEmpty {
                tally.isNoLongerWanted = !control.isStopped
                return false
            }
        }
        return true
    }
}

/// A frame on the result's timeline.
struct TimedFrame: Sendable {
    let frame: Frame
    /// Of the frame's timestamp and duration.
    let timeBase: Rational
    let frameRate: Rational

    init(frame: Frame, timeBase: Rational, frameRate: Rational = Rational(0, 1)) {
        self.frame = frame
        self.timeBase = timeBase
        self.frameRate = frameRate
    }

    init(frame: Frame, like other: TimedFrame) {
        self.init(frame: frame, timeBase: other.timeBase, frameRate: other.frameRate)
    }
}

/// What a decoder saw, for the result and the tolerance.
struct DecodeTally: Sendable {
    var packets: Int64 = 0
    var corruptPackets: Int64 = 0
    /// Frames that should lie in the holes between those that came.
    var missingFrames: Int64 = 0
    var refusedPackets = 0
    var frames: Int64 = 0
    var damagedFrames: Int64 = 0
    /// Where the last frame ends, in microseconds of the result's time.
    var end: Int64?
    /// Whether decoding stopped because the window was over.
    var reachedWindowEnd = false
    /// Whether it stopped because nobody takes more, as of the longer input of a mix.
    var isNoLongerWanted = false
}
