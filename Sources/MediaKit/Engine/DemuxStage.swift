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
    private var routes: [Int: [Route]]
    private var mender: TimestampMender
    /// Where to begin, in microseconds of the input's own timestamps.
    private let start: Int64?
    private let readahead: Int64 = 500_000

    init(demuxer: Demuxer, routes: [Int: [Route]], start: Int64?, control: JobControl) {
        self.demuxer = demuxer
        self.routes = routes
        self.start = start
        self.control = control
        mender = TimestampMender(isDiscontinuous: demuxer.hasDiscontinuousTime)
    }

    func run() throws {
        control.log.adoptThread()
        demuxer.discard(allBut: Set(routes.keys))
        if let start, demuxer.isSeekable { try seek(to: start) }
        while !routes.isEmpty {
            try control.checkpoint()
            let packet = try Packet()
            guard try demuxer.read(into: packet) else { return }
            guard let wanted = routes[packet.stream] else { continue }
            let stream = demuxer.streams[packet.stream]
            mender.mend(
                packet, timeBase: stream.timeBase, isSparse: stream.kind != .video && stream.kind != .audio,
                control: control)
            var left = wanted
            left.removeAll { route in
                if Self.send(packet, by: route, isLast: wanted.count == 1) { return false }
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
    private func seek(to start: Int64) throws {
        let target = start - readahead
        guard target > demuxer.startTime ?? 0 else { return }
        let picture = demuxer.streams.first { routes[$0.index] != nil && $0.kind == .video }
        let stream = picture ?? demuxer.streams.first { routes[$0.index] != nil }
        let timestamp = stream.map { Rational.microseconds.rescale(target, to: $0.timeBase) } ?? target
        do {
            try demuxer.seek(to: timestamp, stream: stream)
        } catch let error as MediaError where error.libav != nil && !control.isStopped {
            // A container without an index: reading from the start gives the same result, later.
        }
    }

    /// - Returns: false if the receiver wants nothing more.
    private static func send(_ packet: Packet, by route: Route, isLast: Bool) -> Bool {
        switch route {
        case .decode(let inbox):
            guard let own = isLast ? packet : try? packet.ref() else { return false }
            return inbox.send(own, bytes: own.size, pad: 0)
        case .copy(let copy):
            return copy.send(packet)
        }
    }
}

/// The way of a stream that is copied from a demuxer to a muxer without being decoded.
///
// Safe to send: used by the demuxer's thread alone.
final class CopyRoute: @unchecked Sendable {
    private let inbox: Inbox<MuxItem>
    private let pad: Int
    private let timeBase: Rational
    private let offset: Int64
    private let end: Int64?
    private let isTrimmed: Bool
    private let waitsForKey: Bool
    private let defaultDuration: Int64
    private var lastDTS: Int64?
    private(set) var packets: Int64 = 0

    init(copied: MediaGraph.CopiedStream, stream: InputStream, inbox: Inbox<MuxItem>) {
        self.inbox = inbox
        pad = copied.slot.stream
        timeBase = stream.timeBase
        offset = Rational.microseconds.rescale(copied.window.origin, to: timeBase)
        end = copied.window.end.map { Rational.microseconds.rescale($0, to: stream.timeBase) }
        isTrimmed = copied.window.isTrimmed
        waitsForKey = stream.kind == .video
        let rate = stream.averageFrameRate
        defaultDuration = rate.isPositive ? rate.inverse.rescale(1, to: timeBase) : 0
    }

    func send(_ packet: Packet) -> Bool {
        if waitsForKey, packets == 0, !packet.isKey { return true }
        guard let own = try? packet.ref() else { return false }
        if own.duration == 0 { own.duration = defaultDuration }
        if let pts = own.pts { own.pts = (pts - offset).boundedTime }
        // Some containers give no decoding time; order of arrival is decoding order.
        var dts = (own.dts.map { $0 - offset } ?? own.pts ?? (lastDTS ?? 0) + own.duration).boundedTime
        if let end, dts >= end { return false }
        // What ends before the window begins is of no use to sound; a picture may be needed to decode later ones.
        if isTrimmed, !waitsForKey, (own.pts ?? dts) + own.duration <= 0 { return true }
        if let lastDTS, dts <= lastDTS { dts = lastDTS + 1 }
        if let pts = own.pts, pts < dts { own.pts = dts }
        if own.pts == nil { own.pts = dts }
        own.dts = dts
        lastDTS = dts
        own.stream = pad
        packets += 1
        return inbox.send(.packet(own, timeBase: timeBase), bytes: own.size, pad: pad)
    }

    func finish() { inbox.finish(pad: pad) }
}
