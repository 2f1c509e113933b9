/// How a ``MultipartSink`` writes.
public struct UploadOptions: Sendable {
    /// How long the object is likely to become, in bytes; parts are made large enough for it. `nil` for unknown.
    public var expectedSize: Int64?
    /// Bytes of a part, if `expectedSize` does not call for larger ones. Default 16 MiB, good for 156 GiB.
    public var partSize: Int64
    /// How many parts are on their way at a time; a writer that is faster waits. Default 4.
    public var partsInFlight: Int
    /// Where uploads are recorded, so that those of a crashed process are cleared away. Default: nowhere.
    public var ledger: any UploadLedger

    /// - Parameter partsInFlight: 1 or more; less is taken as 1.
    public init(
        expectedSize: Int64? = nil, partSize: Int64 = 16 << 20, partsInFlight: Int = 4,
        ledger: any UploadLedger = NoUploadLedger()
    ) {
        self.expectedSize = expectedSize
        self.partSize = partSize
        self.partsInFlight = max(1, partsInFlight)
        self.ledger = ledger
    }
}
