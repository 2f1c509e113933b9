import CAVShim

/// Subtitles that were made here, on their way into an output.
struct TextStream: Sendable {
    /// One packet.
    struct Sample: Sendable, Equatable {
        /// Microseconds of the output.
        var start: Int64
        /// Microseconds.
        var duration: Int64
        var bytes: [UInt8]
    }

    var codec: AVCodecID
    /// What the container keeps with the track.
    var header: [UInt8]
    /// In order of their starts.
    var samples: [Sample]
    var slot: MediaGraph.OutputSlot
}

/// Sends the packets of a text track, as its muxer takes them.
///
// Safe to send: all that it holds is constant.
final class TextStage: Stage, @unchecked Sendable {
    let name = "kiln-text"
    private let text: TextStream
    private let output: MediaGraph.OutputStream
    private let inbox: Inbox<MuxItem>
    /// That of SubRip and WebVTT, and fine enough for others.
    private static let timeBase = Rational(1, 1000)

    init(_ text: TextStream, output: MediaGraph.OutputStream, inbox: Inbox<MuxItem>) {
        self.text = text
        self.output = output
        self.inbox = inbox
    }

    func run() throws {
        let parameters = try CodecParameters(subtitles: text.codec, header: text.header)
        var settings = Muxer.StreamSettings(parameters: parameters, timeBase: Self.timeBase)
        settings.tags = output.tags
        settings.disposition = output.disposition
        guard inbox.send(.start(settings), bytes: 0, pad: text.slot.stream) else { return }
        for sample in text.samples {
            let packet = try Packet(sample.bytes)
            let start = Rational.microseconds.rescale(sample.start, to: Self.timeBase)
            packet.pts = start
            packet.dts = start
            packet.duration = Rational.microseconds.rescale(sample.start + sample.duration, to: Self.timeBase) - start
            packet.isKey = true
            guard
                inbox.send(.packet(packet, timeBase: Self.timeBase), bytes: packet.size, pad: text.slot.stream)
            else { return }
        }
    }

    func close() { inbox.finish(pad: text.slot.stream) }

    // The muxer's own inbox is closed by it.
    func stop() {}
}
