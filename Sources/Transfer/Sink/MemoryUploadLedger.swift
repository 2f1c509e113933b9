import Locking

/// A ledger in memory, for tests and for a process that competes with none but itself.
///
/// Each owner has one, and all share a table:
/// ```swift
/// let first = MemoryUploadLedger(owner: "1")
/// let second = first.sharing(owner: "2")
/// first.retire("1")        // its entries are abandoned now, and it may not write any more
/// ```
/// Thread-safe.
public final class MemoryUploadLedger: UploadLedger {
    /// Whose uploads are noted by this one.
    public let owner: String

    private struct Table {
        var entries: [UploadEntry] = []
        var retired: Set<String> = []
        var count = 0
    }
    private let table: Locked<Table>

    /// A new table, and the ledger of its first owner.
    public convenience init(owner: String = "1") { self.init(owner: owner, table: Locked(Table())) }

    private init(owner: String, table: Locked<Table>) {
        self.owner = owner
        self.table = table
    }

    /// The same table for another owner.
    public func sharing(owner: String) -> MemoryUploadLedger { MemoryUploadLedger(owner: owner, table: table) }

    /// An owner is gone for good: its job is finished, or another attempt has taken over.
    public func retire(_ owner: String) { table.withLock { _ = $0.retired.insert(owner) } }

    /// All entries, in the order in which they were begun.
    public var entries: [UploadEntry] { table.withLock { $0.entries } }

    public func begin(store: String, key: String) throws -> UploadEntry {
        try table.withLock { table throws(TransferError) in
            try expectOwner(&table)
            table.count += 1
            let entry = UploadEntry(id: "\(table.count)", store: store, key: key, owner: owner)
            table.entries.append(entry)
            return entry
        }
    }

    public func created(_ entry: UploadEntry, upload: String) throws {
        table.withLock { table in
            guard let index = table.entries.firstIndex(where: { $0.id == entry.id }) else { return }
            table.entries[index].upload = upload
        }
    }

    public func authorize(_ entry: UploadEntry) throws { try table.withLock(expectOwner) }

    private func expectOwner(_ table: inout Table) throws(TransferError) {
        guard !table.retired.contains(owner) else {
            throw TransferError(.superseded, "\(owner) may not write any more: another attempt has taken over")
        }
    }

    public func end(_ entry: UploadEntry) { table.withLock { $0.entries.removeAll { $0.id == entry.id } } }

    public func abandoned(limit: Int) -> [UploadEntry] {
        table.withLock { table in Array(table.entries.filter { table.retired.contains($0.owner) }.prefix(limit)) }
    }

    public func live(store: String, key: String) -> [UploadEntry] {
        table.withLock { table in
            table.entries.filter { $0.store == store && $0.key == key && !table.retired.contains($0.owner) }
        }
    }
}
