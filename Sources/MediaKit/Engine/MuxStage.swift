import ByteIO
import CAVShim

/// What reaches a muxer from an encoder or a copied stream.
enum MuxItem: Sendable {
    /// The stream is known now. Always first.
    case start(Muxer.StreamSettings)
    case packet(Packet, timeBase: Rational)
}

/// Writes one output: waits until all its streams are known, then interleaves their packets by decoding time.
///
// Safe to send: `run` is called by one thread, and the tallies are read after it was joined.
final class MuxStage: Stage, @unchecked Sendable {
    let name = "kiln-mux"
    let inbox: Inbox<MuxItem>
    /// Packets, bytes and times by stream.
    private(set) var tallies: [MuxTally]
    private(set) var warnings: [String] = []
    /// Whether the container was written to its end.
    private(set) var isComplete = false
    private let output: MediaGraph.Output
    private let target: OutputTarget?
    private let control: JobControl
    private var heads: [(packet: Packet, timeBase: Rational)?]
    private var finished: [Bool]
    /// The stream's index in the container; `nil` for those that never began.
    private var places: [Int?]

    init(output: MediaGraph.Output, target: OutputTarget?, control: JobControl) {
        self.output = output
        self.target = target
        self.control = control
        let count = output.streams.count
        tallies = Array(repeating: MuxTally(), count: count)
        heads = Array(repeating: nil, count: count)
        finished = Array(repeating: false, count: count)
        places = Array(repeating: nil, count: count)
        inbox = Inbox(
            pads: count, items: ChannelBounds.encoded.items, bytes: ChannelBounds.encoded.bytes,
            totalBytes: ChannelBounds.total)
    }

    func run() throws {
        control.log.adoptThread()
        let bridge = try target?.makeBridge(control: control)
        let muxer = try Muxer(
            format: output.container, name: target?.name ?? "nothing", bridge: bridge, options: output.options,
            bitexact: output.bitexact, control: control)
        guard try begin(muxer) else { return }
        muxer.setTags(output.tags)
        for chapter in output.chapters { try muxer.addChapter(chapter) }
        var hasMore = try fillHeads()
        muxer.begin(
            with: heads.enumerated().compactMap { stream, head in
                guard let head, let place = places[stream] else { return nil }
                return (head.packet, place, head.timeBase)
            })
        try muxer.writeHeader()
        while hasMore {
            guard let next = earliest(), let head = heads[next], let place = places[next] else { break }
            heads[next] = nil
            count(head.packet, head.timeBase, stream: next)
            control.progress.written(bytes: bridge?.size ?? 0)
            head.packet.stream = place
            try muxer.write(head.packet)
            hasMore = try fillHeads()
        }
        try control.checkpoint()
        try muxer.writeTrailer()
        warnings = try target?.finishLayout() ?? []
        isComplete = true
    }

    func stop() { inbox.close() }
    func close() { inbox.close() }

    /// Waits for the start of every stream.
    ///
    /// - Returns: false if the job stopped.
    private func begin(_ muxer: Muxer) throws -> Bool {
        var count = 0
        for stream in output.streams.indices {
            switch inbox.receive(pad: stream) {
            case .item(.start(let settings)):
                try muxer.addStream(settings)
                places[stream] = count
                count += 1
            case .item(.packet):
                throw MediaError(.internal, "a packet came before its stream was known")
            case .finished:
                finished[stream] = true
                let source = output.streams[stream].sourceStream
                control.warnings.add(
                    MediaWarning(.droppedStream, "a stream without any frame was left out", stream: source))
            case .pressed:
                throw MediaError(
                    .resourceLimit, "one stream begins so late that the others do not fit in memory until then",
                    hint: "leave that stream out or remux the input", stream: output.streams[stream].sourceStream)
            case .closed:
                return false
            }
        }
        guard count > 0 else {
            if let failure = control.failure { throw failure }
            throw MediaError(.badInput, "nothing in it could be decoded")
        }
        return true
    }

    /// Makes sure that every stream that is still flowing shows its next packet.
    ///
    /// - Returns: false if there is nothing more or the job stopped.
    private func fillHeads() throws -> Bool {
        var isPressed = false
        for stream in heads.indices where heads[stream] == nil && !finished[stream] {
            let event: Inbox<MuxItem>.Event?
            if output.streams[stream].isSparse || isPressed {
                event = inbox.poll(pad: stream)
            } else {
                event = inbox.receive(pad: stream)
            }
            switch event {
            case .item(.packet(let packet, let timeBase)): heads[stream] = (packet, timeBase)
            case .item(.start), nil: break
            case .finished: finished[stream] = true
            // The others hold all that may be held: go on without this one's order.
            case .pressed: isPressed = true
            case .closed: return false
            }
        }
        if heads.contains(where: { $0 != nil }) { return true }
        // Only sparse streams are left: now they are waited for.
        guard let stream = finished.firstIndex(of: false) else { return false }
        switch inbox.receive(pad: stream) {
        case .item(.packet(let packet, let timeBase)):
            heads[stream] = (packet, timeBase)
            return true
        case .finished:
            finished[stream] = true
            return try fillHeads()
        case .item(.start), .pressed:
            return try fillHeads()
        case .closed:
            return false
        }
    }

    private func earliest() -> Int? {
        var best: Int?
        for (stream, head) in heads.enumerated() {
            guard let head else { continue }
            guard let current = best, let other = heads[current] else {
                best = stream
                continue
            }
            let time = head.packet.dts ?? head.packet.pts ?? 0
            let otherTime = other.packet.dts ?? other.packet.pts ?? 0
            if av_compare_ts(time, head.timeBase.raw, otherTime, other.timeBase.raw) < 0 { best = stream }
        }
        return best
    }

    private func count(_ packet: Packet, _ timeBase: Rational, stream: Int) {
        tallies[stream].packets += 1
        tallies[stream].bytes += Int64(packet.size)
        guard let pts = packet.pts else { return }
        let start = timeBase.rescale(pts, to: .microseconds)
        let end = timeBase.rescale(pts + packet.duration, to: .microseconds)
        tallies[stream].start = min(tallies[stream].start ?? start, start)
        tallies[stream].end = max(tallies[stream].end ?? end, end)
        control.progress.written(until: end)
    }
}

/// What went into one stream of an output. Times are microseconds.
struct MuxTally: Sendable {
    var packets: Int64 = 0
    var bytes: Int64 = 0
    var start: Int64?
    var end: Int64?
}
