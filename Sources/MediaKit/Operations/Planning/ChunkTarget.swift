import ByteIO
import CAVShim

/// Encodes one branch's sound into several outputs, one after the other, cut at exact samples. Sound is quick to
/// encode, so all is done on the branch's own thread.
///
// Safe to send: called by one branch's thread, and read after the run.
final class ChunkTarget: BranchTarget, @unchecked Sendable {
    /// A finished chunk. Seconds of the branch's time.
    struct Made {
        var start: Double
        var duration: Double
    }

    let frameSize: Int? = nil
    private(set) var made: [Made] = []
    private(set) var codec = ""
    private(set) var sampleRate = 0
    private(set) var channels = 0
    private let settings: EncoderSettings
    private let container: Container
    private let targets: [OutputTarget]
    private let cuts: [Int64]
    private let bitexact: Bool
    private let control: JobControl
    private var format: FrameFormat?
    private var chunk: Chunk?
    private var hasFailed = false

    /// - Parameters:
    ///   - targets: one more than there are cuts.
    ///   - cuts: in microseconds of the branch's time, rising.
    init(
        settings: EncoderSettings, container: Container, targets: [OutputTarget], cuts: [Int64], bitexact: Bool,
        control: JobControl
    ) {
        self.settings = settings
        self.container = container
        self.targets = targets
        self.cuts = cuts
        self.bitexact = bitexact
        self.control = control
    }

    func open(format: FrameFormat, first: Frame) throws -> Int? {
        self.format = format
        sampleRate = format.sampleRate
        channels = ChannelLayout.count(format.channelLayout)
        return nil
    }

    func send(_ frame: Frame) -> Bool {
        do {
            try write(frame)
            control.progress.advance(frame: frame, timeBase: format?.timeBase ?? .microseconds)
            return true
        } catch {
            hasFailed = true
            control.fail(error)
            return false
        }
    }

    func finish() {
        guard !hasFailed, !control.isStopped else { return }
        do { try finishChunk() } catch { control.fail(error) }
    }

    private func write(_ frame: Frame) throws {
        guard let format, var position = frame.pts else { return }
        let start = position
        let end = position + Int64(frame.sampleCount)
        while position < end {
            let limit = try openChunk(at: position, format)
            // Two cuts may fall on one sample.
            let part = max(position, min(end, limit))
            if part > position {
                try chunk?.add(try frame.samples(from: Int(position - start), count: Int(part - position)))
            }
            position = part
            if position >= limit { try finishChunk() }
        }
    }

    /// Opens the chunk that `position` belongs to, if it is not open.
    ///
    /// - Returns: the sample at which it ends.
    private func openChunk(at position: Int64, _ format: FrameFormat) throws -> Int64 {
        let index = made.count
        let limit = index < cuts.count ? Rational.microseconds.rescale(cuts[index], to: format.timeBase) : .max
        if chunk == nil {
            chunk = try Chunk(
                start: position, settings: settings, container: container, target: targets[index], format: format,
                bitexact: bitexact, control: control)
            codec = chunk?.codec ?? ""
        }
        return limit
    }

    private func finishChunk() throws {
        guard let chunk, let format else { return }
        self.chunk = nil
        for warning in try chunk.finish() { control.warnings.add(MediaWarning(.container, warning)) }
        made.append(
            Made(start: format.timeBase.seconds(chunk.start), duration: format.timeBase.seconds(chunk.sampleCount)))
    }
}

/// One output of sound in the making.
private final class Chunk {
    let start: Int64
    private(set) var sampleCount: Int64 = 0
    private let encoder: Encoder
    private let framer: SoundFramer?
    private let muxer: Muxer
    private let target: OutputTarget

    var codec: String { String(cString: avcodec_get_name(encoder.raw.pointee.codec_id)) }

    init(
        start: Int64, settings: EncoderSettings, container: Container, target: OutputTarget, format: FrameFormat,
        bitexact: Bool, control: JobControl
    ) throws {
        self.start = start
        self.target = target
        encoder = try Encoder(
            settings: settings, format: format, first: nil,
            globalHeader: Muxer.wantsGlobalHeader(container.muxer), statistics: nil, control: control)
        framer = try encoder.frameSize.map { try SoundFramer(size: $0, format: format) }
        muxer = try Muxer(
            format: container.muxer, name: target.name, bridge: try target.makeBridge(control: control),
            options: container.isMovie && !target.isSeekable
                ? Container.fragmented : [:],
            bitexact: bitexact, control: control)
        try muxer.addStream(
            Muxer.StreamSettings(parameters: try CodecParameters(of: encoder), timeBase: encoder.timeBase))
        try muxer.writeHeader()
    }

    func add(_ frame: Frame) throws {
        // Each chunk has a clock of its own.
        frame.pts = sampleCount
        sampleCount += Int64(frame.sampleCount)
        for part in try framer?.add(frame) ?? [frame] { try encode(part) }
    }

    /// Returns the layout's warnings.
    func finish() throws -> [String] {
        if let rest = try framer?.finish() { try encode(rest) }
        try encode(nil)
        try muxer.writeTrailer()
        return try target.finishLayout()
    }

    private func encode(_ frame: Frame?) throws {
        try encoder.send(frame)
        let packet = try Packet()
        while try encoder.receive(into: packet) == .ready {
            packet.stream = 0
            try muxer.write(packet)
            packet.unref()
        }
    }
}
