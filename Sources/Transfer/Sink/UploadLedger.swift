/// A record of uploads that are under way, so that none outlives a crash, and of who may complete them.
///
/// The order is: `begin` before the upload is created, `created` with its id, `authorize` right before it is
/// completed, `end` when it was completed or aborted. What was completed is deleted only after another `authorize`. Whoever crashes in between leaves an entry; ``UploadJanitor``
/// asks for those by `abandoned` and aborts them. An owner may have several entries for a key: where the answer to a
/// creation was lost and it was tried again, one of them stays without an id.
///
/// All calls throw errors of their own kind, which reach the sink's caller unchanged.
public protocol UploadLedger: Sendable {
    /// Notes that an upload is about to be created.
    ///
    /// - Returns: the entry, which names its owner.
    /// - Throws: ``TransferError`` with code `superseded` if the owner may not write any more.
    func begin(store: String, key: String) async throws -> UploadEntry

    /// Notes the id of an entry's upload.
    func created(_ entry: UploadEntry, upload: String) async throws

    /// Asks whether the entry's owner still is the one whose result counts. Also of an entry that has ended.
    ///
    /// - Throws: ``TransferError`` with code `superseded` if not.
    func authorize(_ entry: UploadEntry) async throws

    /// Forgets an entry.
    func end(_ entry: UploadEntry) async throws

    /// Entries whose owner is gone for good: the job is finished, or another attempt has taken over. Never one that a
    /// living owner may still use.
    func abandoned(limit: Int) async throws -> [UploadEntry]

    /// The entries of living owners for a key: their uploads are not to be touched.
    func live(store: String, key: String) async throws -> [UploadEntry]
}

/// An upload in a ledger.
public struct UploadEntry: Sendable, Hashable {
    /// The ledger's own name for it.
    public var id: String
    /// ``ObjectStore/name`` of the store.
    public var store: String
    /// The object's key in the store.
    public var key: String
    /// Whose it is: a job's fence token, or whatever the ledger goes by.
    public var owner: String
    /// `nil` as long as it is not known: the owner may have died between creating the upload and noting its id.
    public var upload: String?

    /// For ledgers, which make entries in `begin`.
    public init(id: String, store: String, key: String, owner: String, upload: String? = nil) {
        self.id = id
        self.store = store
        self.key = key
        self.owner = owner
        self.upload = upload
    }
}

/// Records nothing and allows everything: for a command that nobody competes with.
public struct NoUploadLedger: UploadLedger {
    public init() {}
    public func begin(store: String, key: String) -> UploadEntry {
        UploadEntry(id: "", store: store, key: key, owner: "")
    }
    public func created(_ entry: UploadEntry, upload: String) {}
    public func authorize(_ entry: UploadEntry) {}
    public func end(_ entry: UploadEntry) {}
    public func abandoned(limit: Int) -> [UploadEntry] { [] }
    public func live(store: String, key: String) -> [UploadEntry] { [] }
}
