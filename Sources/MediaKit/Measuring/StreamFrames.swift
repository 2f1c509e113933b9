import CAVShim

/// The frames of one stream of a file, one after another, on the calling thread. For looking at media, not for jobs.
///
/// Thread safety: used by one thread.
final class StreamFrames {
    let demuxer: Demuxer
    let stream: InputStream
    private let decoder: Decoder
    private let packet: Packet
    private var hasEnded = false

    /// - Parameters:
    ///   - choose: picks the stream.
    ///   - threads: of the decoder; 1 decodes on the calling thread alone.
    /// - Throws: ``MediaError`` if the input cannot be opened.
    init(demuxer: Demuxer, stream: InputStream, threads: Int, control: JobControl) throws {
        self.demuxer = demuxer
        self.stream = stream
        demuxer.discard(allBut: [stream.index])
        decoder = try Decoder(stream: stream, settings: Decoder.Settings(threads: threads), control: control)
        packet = try Packet()
    }

    /// The next frame, or `nil` after the last.
    func next() throws -> Frame? {
        while true {
            let frame = try Frame()
            switch try decoder.receive(into: frame) {
            case .ready: return frame
            case .end: return nil
            case .again: try feed()
            }
        }
    }

    private func feed() throws {
        while !hasEnded {
            guard try demuxer.read(into: packet) else {
                hasEnded = true
                _ = try decoder.send(nil)
                return
            }
            defer { packet.unref() }
            guard packet.stream == stream.index else { continue }
            // All frames were taken before, so the decoder has room.
            _ = try decoder.send(packet)
            return
        }
    }
}
