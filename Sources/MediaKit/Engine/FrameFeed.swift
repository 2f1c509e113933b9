/// Makes frames for some of a graph's branches: what they are made of is its own matter.
///
/// Thread safety: `run` is called once, on a thread of the graph's.
protocol FrameFeed: AnyObject, Sendable {
    /// Sends frames until there are no more, nobody wants them or the job stops.
    ///
    /// - Parameter outlets: one for each branch that is fed, in the order of the graph's branches.
    func run(_ outlets: [FeedOutlet]) throws
}

/// The way into a branch that is fed.
struct FeedOutlet: Sendable {
    let inbox: Inbox<TimedFrame>

    /// Waits until there is room. Returns false if nothing more is wanted.
    func send(_ frame: TimedFrame) -> Bool { inbox.send(frame, bytes: frame.frame.byteCount, pad: 0) }
}

/// Runs a graph's feed.
///
/// Thread safety: `run` is called by one thread.
final class FeedStage: Stage {
    let name = "kiln-feed"
    private let feed: any FrameFeed
    private let outlets: [FeedOutlet]
    private let control: JobControl

    init(feed: any FrameFeed, outlets: [FeedOutlet], control: JobControl) {
        self.feed = feed
        self.outlets = outlets
        self.control = control
    }

    func run() throws {
        control.log.adoptThread()
        try feed.run(outlets)
    }

    /// It waits for the inboxes of others, which they close, and for what the feed itself has registered to be stopped.
    func stop() {}

    func close() {
        for outlet in outlets { outlet.inbox.finish(pad: 0) }
    }
}
