import CAVShim

/// Reads one input and hands each packet to all that want its stream.
///
// Safe to send: `run` is called by one thread, and the results are read after it was joined.
final class DemuxStage: Stage, @unchecked Sendable {
    enum Route {
        case decode(Inbox<Packet>)
        case copy(CopyRoute)
    }

    let name = "kiln-demux"
    private let demuxer: Demuxer
    private let control: JobControl
    private let strict: Bool
    private var routes: [Int: [Route]]
    private var mender: TimestampMender
    /// Where to begin, in microseconds of the input's own timestamps.
    private let start: Int64?
    /// Behind which nothing is wanted, likewise; `nil` for the end.
    private let end: Int64?
    private let readahead: Int64 = 500_000
    /// The picture stream that was entered between two key frames: what comes before the next cannot be decoded.
    private var awaitsKeyFrame: Int?

    init(demuxer: Demuxer, routes: [Int: [Route]], start: Int64?, end: Int64?, strict: Bool, control: JobControl) {
        self.strict = strict
        self.demuxer = demuxer
        self.routes = routes
        self.start = start
        self.end = end
        self.control = control
        mender = TimestampMender(isDiscontinuous: demuxer.hasDiscontinuousTime)
    }

    func run() throws {
        control.log.adoptThread()
        demuxer.discard(allBut: Set(routes.keys))
        demuxer.announceReads(of: Set(routes.keys), from: start.map { $0 - readahead }, to: end)
        if let start, demuxer.isSeekable { try seek(to: start) }
        while !routes.isEmpty {
            try control.checkpoint()
            let packet = try Packet()
            guard try read(packet) else { return }
            guard let wanted = routes[packet.stream] else { continue }
            if packet.stream == awaitsKeyFrame {
                guard packet.isKey else { continue }
                awaitsKeyFrame = nil
            }
            let stream = demuxer.streams[packet.stream]
            mender.mend(
                packet, timeBase: stream.timeBase, isSparse: stream.kind != .video && stream.kind != .audio,
                control: control)
            var left = wanted
            try left.removeAll { route in
                if try Self.send(packet, by: route, isLast: wanted.count == 1) { return false }
                Self.finish(route)
                return true
            }
            if left.count != wanted.count {
                routes[packet.stream] = left.isEmpty ? nil : left
                if !control.isStopped, left.isEmpty { demuxer.discard(allBut: Set(routes.keys)) }
            }
        }
    }

    /// It only waits for the inboxes of others, which they close.
    func stop() {}

    func close() {
        for route in routes.values.joined() { Self.finish(route) }
    }

    private static func finish(_ route: Route) {
        switch route {
        case .decode(let inbox): inbox.finish(pad: 0)
        case .copy(let copy): copy.finish()
        }
    }

    /// Goes back a little further than asked: sound decoders need the packets before, and a key frame's pictures may
    /// be shown before it.
    ///
    /// Formats without an index are searched by time alone and may be entered between two key frames: there it goes
    /// back until a key frame comes before the start.
    private func seek(to start: Int64) throws {
        let first = demuxer.startTime ?? 0
        let used = demuxer.streams.filter { routes[$0.index] != nil }
        let picture = used.first { $0.kind == .video }
        let stream = picture ?? used.first
        func seek(_ time: Int64) throws {
            let timestamp = stream.map { Rational.microseconds.rescale(time, to: $0.timeBase) } ?? time
            try demuxer.seek(to: timestamp, stream: stream)
        }
        do {
            var target = start - readahead
            guard target > first else { return }
            while target > first {
                try seek(target)
                guard let picture, demuxer.hasDiscontinuousTime else { return }
                if try keyFrameComes(in: picture, until: start) {
                    awaitsKeyFrame = picture.index
                    return try seek(target)
                }
                target = start - (start - target) * 4
            }
            try seek(first)
        } catch let error as MediaError where error.libav != nil && !control.isStopped {
            // A container without an index: reading from the start gives the same result, later.
        }
    }

    /// Reads the next packet. Data that the container cannot make sense of is taken for the end, and what came before
    /// is judged by its length.
    private func read(_ packet: Packet) throws -> Bool {
        do {
            return try demuxer.read(into: packet)
        } catch let error as MediaError where error.code == .badInput && error.libav != nil && !strict {
            control.warnings.add(MediaWarning(.damagedInput, "reading stopped: \(error)"))
            return false
        }
    }

    /// Reads on to the next key frame. Returns whether it is shown by `time`, in microseconds.
    private func keyFrameComes(in stream: InputStream, until time: Int64) throws -> Bool {
        let packet = try Packet()
        while try demuxer.read(into: packet) {
            try control.checkpoint()
            defer { packet.unref() }
            guard packet.stream == stream.index, packet.isKey, let shown = packet.pts ?? packet.dts else { continue }
            return stream.timeBase.rescale(shown, to: .microseconds) <= time
        }
        return false
    }

    /// - Returns: false if the receiver wants nothing more.
    private static func send(_ packet: Packet, by route: Route, isLast: Bool) throws -> Bool {
        switch route {
        case .decode(let inbox):
            let own = isLast ? packet : try packet.ref()
            return inbox.send(own, bytes: own.size, pad: 0)
        case .copy(let copy):
            return try copy.send(packet)
        }
    }
}

/// The way of a stream that is copied from a demuxer to a muxer without being decoded.
///
// Safe to send: used by the demuxer's thread alone, and the tally is read after that was joined.
final class CopyRoute: @unchecked Sendable {
    private(set) var tally = CopyTally()
    private let stream: InputStream
    private let strict: Bool
    /// Seconds.
    private let longest: Double?
    private let inbox: Inbox<MuxItem>
    private let pad: Int
    private let timeBase: Rational
    private let offset: Int64
    private let end: Int64?
    private let isTrimmed: Bool
    private let waitsForKey: Bool
    private let defaultDuration: Int64
    private var lastDTS: Int64?

    init(
        copied: MediaGraph.CopiedStream, stream: InputStream, inbox: Inbox<MuxItem>, tolerance: Tolerance,
        limits: Limits
    ) {
        self.inbox = inbox
        self.stream = stream
        strict = tolerance.strict
        longest = limits.durationSeconds
        pad = copied.slot.stream
        timeBase = stream.timeBase
        offset = Rational.microseconds.rescale(copied.window.origin, to: timeBase)
        end = copied.window.end.map { Rational.microseconds.rescale($0, to: stream.timeBase) }
        isTrimmed = copied.window.isTrimmed
        waitsForKey = stream.kind == .video
        let rate = stream.averageFrameRate
        defaultDuration = rate.isPositive ? rate.inverse.rescale(1, to: timeBase) : 0
    }

    /// - Returns: false if nothing more is wanted.
    func send(_ packet: Packet) throws -> Bool {
        if waitsForKey, tally.packets == 0, !packet.isKey { return true }
        try inspect(packet)
        let own = try packet.ref()
        if own.duration == 0 { own.duration = defaultDuration }
        if let pts = own.pts { own.pts = (pts - offset).boundedTime }
        // Some containers give no decoding time; order of arrival is decoding order.
        var dts = (own.dts.map { $0 - offset } ?? own.pts ?? (lastDTS ?? 0) + own.duration).boundedTime
        if let end, dts >= end { return false }
        if let longest, timeBase.seconds(dts) > longest {
            throw MediaError(
                .resourceLimit, "the input is longer than the limit of \(longest) s",
                hint: "raise limits.durationSeconds or set an end", input: stream.demuxer.name)
        }
        // What ends before the window begins is of no use to sound; a picture may be needed to decode later ones.
        if isTrimmed, !waitsForKey, (own.pts ?? dts) + own.duration <= 0 { return true }
        if let lastDTS, dts <= lastDTS { dts = lastDTS + 1 }
        if let pts = own.pts, pts < dts { own.pts = dts }
        if own.pts == nil { own.pts = dts }
        own.dts = dts
        lastDTS = dts
        own.stream = pad
        tally.packets += 1
        return inbox.send(.packet(own, timeBase: timeBase), bytes: own.size, pad: pad)
    }

    func finish() { inbox.finish(pad: pad) }

    private func inspect(_ packet: Packet) throws {
        guard packet.isCorrupt else { return }
        tally.corruptPackets += 1
        guard strict else { return }
        throw MediaError(
            .badInput, "damaged or truncated \(stream.codecName) data",
            hint: "allow losses with tolerance.strict = false", input: stream.demuxer.name, stream: stream.index)
    }
}

/// What was copied of a stream, for the tolerance.
struct CopyTally: Sendable {
    var packets: Int64 = 0
    var corruptPackets: Int64 = 0
}
