/// The time limits of a request. `nil` means none.
public struct HTTPTimeouts: Sendable, Hashable {
    /// For a connection to be made: looking up the host, TCP and TLS. Per attempt. Default 10 s.
    public var connect: Duration?
    /// For nothing to arrive or leave, the wait for the answer's first byte included. Its clock stands still while the
    /// caller itself is what everything waits for: it does something else than reading the answer, or does not write
    /// the body.
    /// Per attempt. Default 30 s.
    public var stall: Duration?
    /// For the whole: all attempts, waits and redirects, to the last byte of the answer. Default none.
    public var whole: Duration?

    /// Each is positive, or `nil` for no limit.
    public init(
        connect: Duration? = .seconds(10), stall: Duration? = .seconds(30), whole: Duration? = nil
    ) {
        self.connect = connect
        self.stall = stall
        self.whole = whole
    }
}
