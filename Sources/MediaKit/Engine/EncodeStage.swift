import CAVShim
import Synchronization

/// Encodes one branch's frames and hands the packets to the muxers that want them.
///
// Safe to send: `open`, `send` and `frameSize` belong to the branch's thread, which hands the encoder it opened over
// through the inbox; the rest is used by this stage's thread, and the tally is read after both were joined.
final class EncodeStage: Stage, BranchTarget, @unchecked Sendable {
    /// What the branch hands over. A job may stop between the two, and then this stage's thread ends while the
    /// branch's still opens the encoder: so it is not shared, but given away.
    private enum Item: Sendable {
        case encoder(Encoder, format: FrameFormat)
        case frame(Frame)
    }

    struct Receiver {
        let inbox: Inbox<MuxItem>
        let pad: Int
        let stream: MediaGraph.OutputStream
        let globalHeader: Bool
    }

    let name: String
    private(set) var frameSize: Int?
    private(set) var tally = EncodeTally()
    private let settings: EncoderSettings
    private let statistics: PassStatistics?
    private let inbox: Inbox<Item>
    private var receivers: [Receiver]
    private let control: JobControl
    private let isSound: Bool
    private var encoder: Encoder?
    private var framer: SoundFramer?
    /// Durations of frames that are inside the encoder, by timestamp: not every encoder hands them through.
    private var durations: [Int64: Int64] = [:]
    private var lastPTS: Int64?
    private var nextKeyFrame: Int64 = 0

    init(
        settings: EncoderSettings, isSound: Bool, receivers: [Receiver], statistics: PassStatistics?,
        control: JobControl
    ) {
        self.settings = settings
        self.receivers = receivers
        self.statistics = statistics
        self.control = control
        self.isSound = isSound
        name = isSound ? "kiln-enc-audio" : "kiln-enc-video"
        let bounds = isSound ? ChannelBounds.sound : ChannelBounds.pictures
        inbox = Inbox(pads: 1, items: bounds.items, bytes: bounds.bytes, totalBytes: ChannelBounds.total)
    }

    // MARK: The branch's side

    func open(format: FrameFormat, first: Frame) throws -> Int? {
        let made = try Encoder(
            settings: settings, format: format, first: first,
            globalHeader: receivers.contains { $0.globalHeader },
            statistics: settings.pass == .second ? statistics?.text : nil, control: control)
        if isSound { frameSize = made.frameSize }
        let parameters = try CodecParameters(of: made)
        for receiver in receivers {
            var stream = Muxer.StreamSettings(parameters: parameters, timeBase: made.timeBase)
            stream.frameRate = format.frameRate
            stream.tags = receiver.stream.tags
            stream.disposition = receiver.stream.disposition
            stream.sideData = receiver.stream.sideData
            _ = receiver.inbox.send(.start(stream), bytes: 0, pad: receiver.pad)
        }
        _ = inbox.send(.encoder(made, format: format), bytes: 0, pad: 0)
        return frameSize
    }

    func send(_ frame: Frame) -> Bool { inbox.send(.frame(frame), bytes: frame.byteCount, pad: 0) }
    func finish() { inbox.finish(pad: 0) }

    // MARK: The stage's own thread

    func run() throws {
        control.log.adoptThread()
        while true {
            switch inbox.receive(pad: 0) {
            case .item(.encoder(let encoder, let format)):
                try use(encoder, format)
            case .item(.frame(let frame)):
                if let framer {
                    for part in try framer.add(frame) { guard try encode(part) else { return } }
                } else {
                    guard try encode(frame) else { return }
                }
            case .finished:
                if let rest = try framer?.finish() { guard try encode(rest) else { return } }
                if encoder != nil { _ = try drain(encode: nil) }
                if settings.pass == .first, let encoder { statistics?.append(encoder.takeStatistics() ?? "") }
                return
            case .pressed, .closed:
                return
            }
        }
    }

    func stop() { inbox.close() }

    func close() {
        inbox.close()
        // The encoder's threads and buffers go with the stage, not with the job's result.
        encoder = nil
        for receiver in receivers { receiver.inbox.finish(pad: receiver.pad) }
    }

    private func use(_ encoder: Encoder, _ format: FrameFormat) throws {
        self.encoder = encoder
        tally.format = format
        tally.codec = String(cString: avcodec_get_name(encoder.raw.pointee.codec_id))
        if isSound, let size = encoder.frameSize { framer = try SoundFramer(size: size, format: format) }
    }

    private func encode(_ frame: Frame) throws -> Bool {
        var pts = frame.pts ?? (lastPTS ?? -1) + 1
        if let lastPTS, pts <= lastPTS {
            if isSound {
                pts = lastPTS + 1
            } else {
                // Two pictures at one time: only one can be shown.
                tally.droppedFrames += 1
                return true
            }
        }
        frame.pts = pts
        if let lastPTS, !isSound, durations[lastPTS] != nil { durations[lastPTS] = pts - lastPTS }
        lastPTS = pts
        if !isSound { durations[pts] = frame.duration }
        if !isSound { choosePictureType(frame, pts) }
        tally.frames += 1
        if !isSound { control.progress.countFrame() }
        return try drain(encode: frame)
    }

    /// Decoded frames still carry the type that the source's encoder gave them, which would bind ours.
    private func choosePictureType(_ frame: Frame, _ pts: Int64) {
        frame.raw.pointee.pict_type = AV_PICTURE_TYPE_NONE
        guard settings.forcesKeyFrames, let seconds = settings.keyFrameSeconds, let timeBase = encoder?.timeBase else {
            return
        }
        let length = max(1, timeBase.units(seconds))
        guard pts >= nextKeyFrame else { return }
        frame.raw.pointee.pict_type = AV_PICTURE_TYPE_I
        nextKeyFrame = (pts / length + 1) * length
    }

    private func drain(encode frame: Frame?) throws -> Bool {
        guard let encoder else { return false }
        try encoder.send(frame)
        while !control.isStopped {
            let packet = try Packet()
            switch try encoder.receive(into: packet) {
            case .ready:
                guard deliver(packet, encoder) else { return false }
            case .again:
                if settings.pass == .first { statistics?.append(encoder.takeStatistics() ?? "") }
                return true
            case .end:
                return true
            }
        }
        return false
    }

    private func deliver(_ packet: Packet, _ encoder: Encoder) -> Bool {
        if let pts = packet.pts, let duration = durations.removeValue(forKey: pts) {
            packet.duration = duration
        }
        tally.packets += 1
        tally.bytes += Int64(packet.size)
        if let pts = packet.pts {
            tally.start = min(tally.start ?? pts, pts)
            tally.end = max(tally.end ?? .min, pts + packet.duration)
        }
        let isShared = receivers.count > 1
        receivers.removeAll { receiver in
            guard let own = isShared ? try? packet.ref() : packet else { return true }
            own.stream = receiver.pad
            return !receiver.inbox.send(
                .packet(own, timeBase: encoder.timeBase), bytes: own.size, pad: receiver.pad)
        }
        return !receivers.isEmpty
    }
}

/// What an encoder made, for the result.
struct EncodeTally: Sendable {
    var codec = ""
    var format: FrameFormat?
    var frames: Int64 = 0
    var droppedFrames: Int64 = 0
    var packets: Int64 = 0
    var bytes: Int64 = 0
    /// In the encoder's time base.
    var start: Int64?
    var end: Int64?
}

/// What the first of two passes tells the second, for encoders that hand it over in memory.
final class PassStatistics: Sendable {
    private let held = Mutex("")
    var text: String { held.withLock { $0 } }
    func append(_ more: String) { held.withLock { $0 += more } }
}
