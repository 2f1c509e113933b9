import FoundationEssentials
import JobQueue
import Transfer

/// A ledger of uploads in the queue's database: they belong to the attempt that began them, and end to be its own in the
/// moment in which the job does.
struct QueueUploadLedger: UploadLedger {
    /// An attempt, as its claim has it.
    struct Owner: Sendable, Hashable {
        var job: UUID
        var token: Int64

        init(_ job: JobContext) { self.init(job: job.id, token: job.token) }

        init(job: UUID, token: Int64) {
            self.job = job
            self.token = token
        }

        var text: String { Self.text(job, token) }
        static func text(_ job: UUID, _ token: Int64) -> String { "\(job.uuidString.lowercased()):\(token)" }
    }

    let queue: QueueClient
    let owner: Owner

    func begin(store: String, key: String) async throws -> UploadEntry {
        guard
            let id = try await queue.beginEffect(of: owner.job, token: owner.token, place: store, name: key)
        else { throw superseded }
        return UploadEntry(id: id.uuidString, store: store, key: key, owner: owner.text)
    }

    func created(_ entry: UploadEntry, upload: String) async throws {
        guard let id = UUID(uuidString: entry.id) else { return }
        try await queue.noteEffect(id, reference: upload)
    }

    func authorize(_ entry: UploadEntry) async throws { try await authorize() }

    /// As above, for what has no entry.
    func authorize() async throws {
        guard try await queue.holds(owner.job, token: owner.token) else { throw superseded }
    }

    func end(_ entry: UploadEntry) async throws { try await queue.end(entry) }

    func abandoned(limit: Int) async throws -> [UploadEntry] { try await queue.abandonedUploads(limit: limit) }

    func live(store: String, key: String) async throws -> [UploadEntry] {
        try await queue.liveUploads(store: store, key: key)
    }

    private var superseded: TransferError {
        TransferError(
            .superseded,
            "job \(owner.job.uuidString.lowercased()) is no longer run by this attempt: what it made is dropped")
    }
}

extension QueueClient {
    fileprivate func end(_ entry: UploadEntry) async throws {
        guard let id = UUID(uuidString: entry.id) else { return }
        try await endEffect(id)
    }

    fileprivate func abandonedUploads(limit: Int) async throws -> [UploadEntry] {
        try await abandonedEffects(limit: limit).map { UploadEntry($0) }
    }

    fileprivate func liveUploads(store: String, key: String) async throws -> [UploadEntry] {
        try await liveEffects(place: store, name: key).map { UploadEntry($0) }
    }
}

extension UploadEntry {
    init(_ effect: OutsideEffect) {
        self.init(
            id: effect.id.uuidString, store: effect.place, key: effect.name,
            owner: QueueUploadLedger.Owner.text(effect.job, effect.token), upload: effect.reference)
    }
}

/// What a sweep works through: entries that were asked for already, so that their stores are known before it begins.
struct SweptUploads: UploadLedger {
    let queue: QueueClient
    let effects: [OutsideEffect]
    var entries: [UploadEntry] { effects.filter { $0.reference != LeftWork.mark }.map { UploadEntry($0) } }
    /// What pipelines keep between their steps.
    var folders: [OutsideEffect] { effects.filter { $0.reference == LeftWork.mark } }

    /// Asks for those whose owners are gone.
    init(queue: QueueClient, limit: Int) async throws {
        self.queue = queue
        effects = try await queue.abandonedEffects(limit: limit)
    }

    func abandoned(limit: Int) -> [UploadEntry] { Array(entries.prefix(limit)) }
    func live(store: String, key: String) async throws -> [UploadEntry] {
        try await queue.liveUploads(store: store, key: key)
    }
    func end(_ entry: UploadEntry) async throws { try await queue.end(entry) }

    // Whoever sweeps begins nothing.
    func begin(store: String, key: String) throws -> UploadEntry { throw Self.nothing }
    func created(_ entry: UploadEntry, upload: String) throws { throw Self.nothing }
    func authorize(_ entry: UploadEntry) throws { throw Self.nothing }
    private static var nothing: TransferError { TransferError(.superseded, "whoever sweeps uploads nothing") }
}
