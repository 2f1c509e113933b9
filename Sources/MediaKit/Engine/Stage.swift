/// One thread's part of a running graph.
protocol Stage: AnyObject, Sendable {
    /// For the thread's name.
    var name: String { get }

    /// Does the stage's work until its input ends or the job stops.
    func run() throws

    /// Tells the stages after it that nothing more will come, and those before it that nothing is wanted any more.
    /// Called on the stage's own thread after `run`, whatever that did.
    func close()

    /// Wakes `run` if it waits for others, and makes it end. Called from any thread when the job stops.
    func stop()
}

/// How much the channels in front of stages may hold.
enum ChannelBounds {
    /// Packets between a demuxer and a decoder.
    static let packets = (items: 16, bytes: 16 << 20)
    /// Pictures in front of a filter graph or encoder. One keeps the stages apart; with more of them, pictures leave the
    /// processor's caches before the next stage comes to them.
    static let pictures = (items: 1, bytes: 48 << 20)
    static let sound = (items: 32, bytes: 4 << 20)
    /// Encoded packets in front of a muxer, per stream.
    static let encoded = (items: 64, bytes: 16 << 20)
    /// What all streams of one stage may hold while another is awaited.
    static let total = 256 << 20
}
