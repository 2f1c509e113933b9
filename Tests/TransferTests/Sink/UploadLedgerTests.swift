import ByteIO
import Locking
import Testing
import Transfer
import TransferTestSupport

/// A ledger that notes what it was asked, and may fail.
private final class WatchedLedger: UploadLedger {
    let inner: MemoryUploadLedger
    let calls = Locked<[String]>([])
    let server: S3Server
    let failing: String?

    init(_ server: S3Server, owner: String = "1", failing: String? = nil) {
        inner = MemoryUploadLedger(owner: owner)
        self.server = server
        self.failing = failing
    }

    struct Broken: Error {}

    private func note(_ call: String) throws {
        calls.withLock { $0.append(call + " after " + (server.requests.last?.operation.rawValue ?? "nothing")) }
        if call == failing { throw Broken() }
    }

    func begin(store: String, key: String) async throws -> UploadEntry {
        try note("begin")
        return try inner.begin(store: store, key: key)
    }
    func created(_ entry: UploadEntry, upload: String) async throws {
        try note("created")
        try inner.created(entry, upload: upload)
    }
    func authorize(_ entry: UploadEntry) async throws {
        try note("authorize")
        try inner.authorize(entry)
    }
    func end(_ entry: UploadEntry) async throws {
        try note("end")
        inner.end(entry)
    }
    func abandoned(limit: Int) async throws -> [UploadEntry] { inner.abandoned(limit: limit) }
    func live(store: String, key: String) async throws -> [UploadEntry] { inner.live(store: store, key: key) }
}

@Suite(.timeLimit(.minutes(2))) struct UploadLedgerTests {
    private static let part = SinkBench.partSize

    private func write(_ sink: MultipartSink, _ count: Int) async throws {
        try await onThread {
            try sink.write(SourceBench.bytes(count))
            try sink.finish()
        }
    }

    @Test func `an upload is noted before it is there, and authorised right before it is completed`() async throws {
        let server = try SinkBench.server()
        let ledger = WatchedLedger(server)
        try await write(SinkBench.sink(server, ledger: ledger), 5 * Self.part)
        #expect(
            ledger.calls.withLock { $0 } == [
                "begin after nothing", "created after createUpload", "authorize after uploadPart",
                "end after completeUpload",
            ])
        #expect(server.requests.last?.operation == .completeUpload)
        let small = WatchedLedger(server)
        try await write(SinkBench.sink(server, "small", ledger: small), 10)
        #expect(
            small.calls.withLock { $0 } == [
                "begin after completeUpload", "authorize after completeUpload", "end after put",
            ])
    }

    @Test(arguments: [1000, 5 * part])
    func `who was superseded completes nothing, and clears up`(count: Int) async throws {
        let server = try SinkBench.server()
        let ledger = MemoryUploadLedger(owner: "old")
        let sink = try await SinkBench.sink(server, ledger: ledger)
        try await onThread {
            try sink.write(SourceBench.bytes(count))
            try sink.prepare()
        }
        ledger.retire("old")
        let error = await transferError { try await onThread { try sink.finish() } }
        #expect(error?.code == .superseded)
        #expect(server.requests(.completeUpload).isEmpty && server.requests(.put).isEmpty)
        #expect(server.uploads.isEmpty)
        #expect(ledger.entries.isEmpty)
    }

    @Test(arguments: [1000, 5 * part])
    func `who was superseded while its object became visible deletes nothing`(count: Int) async throws {
        let content = SourceBench.bytes(count)
        let isThere = AsyncFlag()
        let release = ThreadSignal()
        let server = try SinkBench.server { request in
            guard request.operation == .completeUpload || request.operation == .put, request.index == 0 else {
                return nil
            }
            return .holdAnswer(release, done: isThere)
        }
        let old = MemoryUploadLedger(owner: "old")
        let stale = try await SinkBench.sink(server, client: SourceBench.patientClient(), ledger: old)
        async let error = transferError {
            try await onThread {
                try stale.write(content)
                try stale.finish()
            }
        }
        await isThere.wait()
        // Another attempt takes over, writes the same bytes, and its job is done.
        old.retire("old")
        try await write(SinkBench.sink(server, ledger: old.sharing(owner: "new")), count)
        stale.cancel()
        release.raise()
        #expect(await error?.code == .cancelled)
        #expect(server.bytes("out.mp4") == content)
        #expect(server.requests(.delete).isEmpty)
        #expect(server.uploads.isEmpty)
    }

    @Test(arguments: [1000, 5 * part])
    func `what was finished is taken back by its owner alone`(count: Int) async throws {
        let server = try SinkBench.server()
        let ledger = MemoryUploadLedger(owner: "old")
        for (key, isSuperseded) in [("a", false), ("b", true)] {
            let sink = try await SinkBench.sink(server, key, ledger: ledger)
            try await write(sink, count)
            if isSuperseded { ledger.retire("old") }
            try await onThread { sink.retract() }
        }
        #expect(server.keys == ["b"])
    }

    @Test(arguments: ["begin", "created", "authorize"])
    func `what the ledger throws reaches the caller, and nothing is left`(call: String) async throws {
        let server = try SinkBench.server()
        let sink = try await SinkBench.sink(server, ledger: WatchedLedger(server, failing: call))
        await #expect(throws: WatchedLedger.Broken.self) { try await write(sink, 5 * Self.part) }
        try await onThread { sink.abort() }
        #expect(server.keys.isEmpty)
        #expect(server.uploads.isEmpty)
    }

    @Test func `an entry that cannot be forgotten is no failure`() async throws {
        let server = try SinkBench.server()
        try await write(SinkBench.sink(server, ledger: WatchedLedger(server, failing: "end")), 5 * Self.part)
        #expect(server.bytes("out.mp4")?.count == 5 * Self.part)
    }
}

@Suite(.timeLimit(.minutes(2))) struct UploadJanitorTests {
    private static let part = SinkBench.partSize

    /// An upload whose owner has died right after its first parts.
    private func leave(
        _ server: S3Server, _ key: String, ledger: MemoryUploadLedger, notesID: Bool
    ) async throws -> String {
        let store = try SinkBench.store(server)
        let entry = try ledger.begin(store: store.name, key: key)
        let id = try await store.createUpload(key, options: ObjectOptions()).id
        _ = try await store.uploadPart(key, upload: id, number: 2, SourceBench.bytes(Self.part))
        if notesID { try ledger.created(entry, upload: id) }
        return id
    }

    @Test(arguments: [true, false])
    func `what the dead left is thrown away, and what the living have is not`(notesID: Bool) async throws {
        let server = try SinkBench.server()
        let dead = MemoryUploadLedger(owner: "dead")
        let living = dead.sharing(owner: "living")
        let left = try await leave(server, "a", ledger: dead, notesID: notesID)
        let live = try await leave(server, "a", ledger: living, notesID: true)
        // A key that begins alike is another one.
        let other = try await leave(server, "a.mp4", ledger: living, notesID: true)
        let janitor = UploadJanitor(ledger: dead, stores: [try SinkBench.store(server)])
        #expect(try await janitor.sweep().aborted.isEmpty)
        #expect(server.uploads.count == 3)
        dead.retire("dead")
        let report = try await janitor.sweep()
        #expect(report.aborted == [left])
        #expect(report.settled.count == 1)
        #expect(Set(server.uploads.map(\.id)) == [live, other])
        #expect(Set(dead.entries.compactMap(\.upload)) == [live, other])
        #expect(try await janitor.sweep().aborted.isEmpty)
    }

    @Test func `while a living owner's upload has no id yet, nothing is guessed`() async throws {
        let server = try SinkBench.server()
        let dead = MemoryUploadLedger(owner: "dead")
        let living = dead.sharing(owner: "living")
        let left = try await leave(server, "a", ledger: dead, notesID: false)
        let live = try await leave(server, "a", ledger: living, notesID: false)
        dead.retire("dead")
        let janitor = UploadJanitor(ledger: dead, stores: [try SinkBench.store(server)])
        let report = try await janitor.sweep()
        #expect(report.aborted.isEmpty)
        #expect(report.postponed.count == 1)
        #expect(server.uploads.count == 2)
        let entry = try #require(dead.entries.last)
        try living.created(entry, upload: live)
        #expect(try await janitor.sweep().aborted == [left])
        #expect(server.uploads.map(\.id) == [live])
    }

    @Test func `one that fails keeps nobody waiting`() async throws {
        let server = try SinkBench.server { request in
            request.operation == .abortUpload && request.key == "a" ? .status(403, code: "AccessDenied") : nil
        }
        let dead = MemoryUploadLedger(owner: "dead")
        _ = try await leave(server, "a", ledger: dead, notesID: true)
        let second = try await leave(server, "b", ledger: dead, notesID: true)
        _ = try dead.begin(store: "s3://elsewhere", key: "c")
        dead.retire("dead")
        let report = try await UploadJanitor(ledger: dead, stores: [try SinkBench.store(server)]).sweep()
        #expect(report.failed.map(\.entry.key) == ["a"])
        #expect(report.aborted == [second])
        #expect(report.postponed.map(\.key) == ["c"])
        #expect(dead.entries.map(\.key) == ["a", "c"])
    }

    @Test func `an upload whose creation was not answered is found`() async throws {
        let server = try SinkBench.server { $0.operation == .createUpload ? .loseAnswer : nil }
        let ledger = MemoryUploadLedger(owner: "1")
        let sink = try await SinkBench.sink(server, ledger: ledger)
        let error = await transferError {
            try await onThread {
                try sink.write(SourceBench.bytes(5 * Self.part))
                try sink.finish()
            }
        }
        #expect(error?.code == .connectionLost)
        #expect(server.uploads.count == 1)
        ledger.retire("1")
        let report = try await UploadJanitor(ledger: ledger, stores: [try SinkBench.store(server)]).sweep()
        #expect(report.aborted.count == 1)
        #expect(server.uploads.isEmpty)
        #expect(ledger.entries.isEmpty)
    }

    /// On a connection that was open already, libcurl sends a request again by itself.
    @Test(arguments: [false, true])
    func `an upload that had to be created twice leaves no twin`(isConnected: Bool) async throws {
        let server = try S3Server { $0.operation == .createUpload && $0.index == 0 ? .loseAnswer : nil }
        let store = try S3Bench.store(server, client: try HTTPBench.client())
        if isConnected { try await store.delete("b") }
        let ledger = MemoryUploadLedger(owner: "1")
        let bytes = SourceBench.bytes(11 << 20)
        let sink = try await store.sink(
            "a", options: ObjectOptions(), upload: UploadOptions(partSize: 5 << 20, ledger: ledger))
        try await onThread {
            try sink.write(bytes)
            try sink.finish()
        }
        #expect(server.bytes("a") == bytes)
        #expect(server.uploads.count == 1)
        let janitor = UploadJanitor(ledger: ledger, stores: [store])
        #expect(try await janitor.sweep().settled.isEmpty)
        ledger.retire("1")
        #expect(try await janitor.sweep().aborted.count == 1)
        #expect(server.uploads.isEmpty)
        #expect(ledger.entries.isEmpty)
    }
}
