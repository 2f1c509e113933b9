/// How a ``RangeSource`` reads.
public struct RangeSourceOptions: Sendable, Hashable {
    /// Bytes of a block: what one request fetches, aligned to multiples of it. 1...8 MiB, default 4 MiB.
    public var blockSize: Int
    /// How many blocks are kept, those being fetched included. At least 4, default 12.
    public var cachedBlocks: Int
    /// How many blocks ahead of a reader that goes forward are fetched at a time. 0...4, default 3.
    public var prefetch: Int
    /// How many bytes of a server without ranges are kept to go back in. Default 16 MiB.
    public var replayBytes: Int
    /// What part of the object a ``RangePlan`` may fetch, where its ranges take less: gaps between them are read through
    /// only as far as that allows. 0...1, default 1. Less means more requests: right for what is read again as a whole.
    public var plannedShare: Double

    /// Values outside their ranges are taken as the nearest one inside.
    public init(
        blockSize: Int = 4 << 20, cachedBlocks: Int = 12, prefetch: Int = 3, replayBytes: Int = 16 << 20,
        plannedShare: Double = 1
    ) {
        self.blockSize = min(max(blockSize, 1 << 20), 8 << 20)
        self.cachedBlocks = max(4, cachedBlocks)
        self.prefetch = min(max(prefetch, 0), 4)
        self.replayBytes = max(0, replayBytes)
        self.plannedShare = min(max(plannedShare, 0), 1)
    }
}
