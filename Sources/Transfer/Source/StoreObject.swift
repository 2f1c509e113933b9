/// An object of a store, whose size and ETag are known.
public struct StoreObject: RangedObject {
    public var name: String { "\(store.name)/\(key)" }
    private let store: any ObjectStore
    private let key: String
    private let info: ObjectInfo

    /// - Parameter info: what `store.head(key)` says now: later reads are pinned to it.
    public init(_ store: any ObjectStore, key: String, info: ObjectInfo) {
        self.store = store
        self.key = key
        self.info = info
    }

    /// Asks nobody: all is known.
    public func open(first count: Int) -> RangedObjectInfo {
        RangedObjectInfo(size: info.size, etag: info.etag, acceptsRanges: true, isPinned: info.etag != nil)
    }

    public func read(
        range: Range<Int64>?, ifMatch etag: ETag?, _ sink: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        do {
            try await store.read(key, range: range, ifMatch: etag) { content in
                guard content.info.size == info.size,
                    etag == nil || content.info.etag == nil || content.info.etag == etag
                else { throw TransferError.changed(name) }
                guard content.range == range ?? 0..<info.size else {
                    throw TransferError(.badResponse, "the store sent other bytes of \(name) than were asked for")
                }
                for try await chunk in content.bytes { try await sink(chunk) }
            }
        } catch let error as TransferError where error.code == .changed {
            // Stores tell it in words of their own: "412 (PreconditionFailed)".
            throw TransferError.changed(name)
        }
    }
}
