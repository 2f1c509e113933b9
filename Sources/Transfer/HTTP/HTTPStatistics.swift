/// What a client has done since it was made.
public struct HTTPStatistics: Sendable, Hashable {
    /// Attempts that were begun, redirects and retries among them.
    public var attempts = 0
    /// Attempts that repeated a failed one.
    public var retries = 0
    /// Connections that were made.
    public var connections = 0
    /// Bytes of bodies that arrived, as they were sent.
    public var bytesReceived: Int64 = 0
    /// Bytes of bodies that were sent.
    public var bytesSent: Int64 = 0

    /// Of a client that has done nothing.
    public init() {}
}
