/// What clients of the HTTP API may take.
public struct ServerLimits: Sendable, Hashable {
    /// How fast requests may come.
    public struct Rate: Sendable, Hashable {
        /// How many may come at once.
        public var burst: Int
        /// How many may come each second in the long run.
        public var perSecond: Double

        /// - Parameter burst: at least 1.
        public init(burst: Int, perSecond: Double) {
            self.burst = burst
            self.perSecond = perSecond
        }

        /// So many a minute, at once or spread over it.
        public init(perMinute: Int) { self.init(burst: perMinute, perSecond: Double(perMinute) / 60) }
    }

    /// Of each token, or address where no token is sent. Default 200 at once, 50 a second;
    /// nil: no limit.
    public var rate: Rate?
    /// Bytes of a request's body. Default 4 MiB.
    public var bodyBytes: Int
    /// Bytes of a request's header fields together. Default 16 KiB.
    public var headerBytes: Int
    /// Connections at a time; more wait to be accepted. Default 4,096.
    public var connections: Int
    /// Streams of events at a time. Default 2,048.
    public var eventStreams: Int
    /// How long a request's head may take to arrive, and how long a connection may idle. Default 30 s.
    public var idle: Duration
    /// How long a request's body may take to arrive. Default 60 s.
    public var body: Duration
    /// How long a client may leave what it is sent unread. Default 60 s.
    public var unread: Duration
    /// Between two signs of life in a stream of events. Default 15 s.
    public var heartbeat: Duration
    /// How long requests that are under way may go on once the server is told to stop. Default 15 s.
    public var drain: Duration

    /// What is left out is as said above.
    public init(
        rate: Rate? = Rate(burst: 200, perSecond: 50), bodyBytes: Int = 4 << 20, headerBytes: Int = 16 << 10,
        connections: Int = 4096, eventStreams: Int = 2048, idle: Duration = .seconds(30),
        body: Duration = .seconds(60), unread: Duration = .seconds(60), heartbeat: Duration = .seconds(15),
        drain: Duration = .seconds(15)
    ) {
        self.rate = rate
        self.bodyBytes = bodyBytes
        self.headerBytes = headerBytes
        self.connections = connections
        self.eventStreams = eventStreams
        self.idle = idle
        self.body = body
        self.unread = unread
        self.heartbeat = heartbeat
        self.drain = drain
    }
}
