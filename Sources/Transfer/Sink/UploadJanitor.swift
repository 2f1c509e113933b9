/// Throws away the uploads of those who died, as a ledger has them.
///
/// ```swift
/// let janitor = UploadJanitor(ledger: ledger, stores: [store])
/// let report = try await janitor.sweep()
/// ```
/// An upload is touched only if its entry's owner is gone for good. Where an owner died before the upload's id was
/// noted, all uploads of its key are thrown away that no living owner has; while a living owner of the key is itself
/// between creating and noting, the entry waits for the next sweep. Whoever writes to the same keys without the ledger is
/// not known to it, and loses uploads that way.
public struct UploadJanitor: Sendable {
    /// What a sweep did.
    public struct Report: Sendable {
        /// Ids of the uploads that were thrown away, or were gone already.
        public var aborted: [String] = []
        /// Entries that are forgotten.
        public var settled: [UploadEntry] = []
        /// Entries that wait for a later sweep: a living owner is in the way, or their store is not known here.
        public var postponed: [UploadEntry] = []
        /// Entries that could not be dealt with, and why.
        public var failed: [(entry: UploadEntry, error: any Error)] = []
    }

    private let ledger: any UploadLedger
    private let stores: [String: any MultipartStore]

    /// - Parameter stores: those whose uploads this process may throw away.
    public init(ledger: any UploadLedger, stores: [any MultipartStore]) {
        self.ledger = ledger
        self.stores = Dictionary(stores.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Deals with up to `limit` entries. One that fails does not keep the others waiting.
    ///
    /// - Throws: what the ledger throws when it is asked for entries; `CancellationError`.
    public func sweep(limit: Int = 100) async throws -> Report {
        var report = Report()
        for entry in try await ledger.abandoned(limit: limit) {
            try Task.checkCancellation()
            do {
                guard let store = stores[entry.store], let uploads = try await uploads(of: entry, in: store) else {
                    report.postponed.append(entry)
                    continue
                }
                for upload in uploads {
                    try await store.abortUpload(entry.key, upload: upload)
                    report.aborted.append(upload)
                }
                try await ledger.end(entry)
                report.settled.append(entry)
            } catch {
                report.failed.append((entry, error))
            }
        }
        return report
    }

    /// What of the store belongs to the entry; `nil` if that cannot be told now.
    private func uploads(of entry: UploadEntry, in store: any MultipartStore) async throws -> [String]? {
        if let upload = entry.upload { return [upload] }
        // First the uploads and then the living: who begins in between is in the second list, but not in the first.
        let listed = try await store.listUploads(prefix: entry.key).filter { $0.key == entry.key }
        let live = try await ledger.live(store: entry.store, key: entry.key)
        guard live.allSatisfy({ $0.upload != nil }) else { return nil }
        let taken = Set(live.compactMap(\.upload))
        return listed.map(\.upload).filter { !taken.contains($0) }
    }
}
