import ByteIO
import Foundation
import JobQueue
import Logging
import PostgresTestSupport
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// Uploads whose owners die or are overtaken.
@Suite struct UploadLedgerTests {
    /// A job that runs as far as the database knows, under a token.
    private func runningJob(_ bench: ServiceBench) async throws -> QueueUploadLedger.Owner {
        let id = try await bench.enqueue("media.probe", "{}")
        try await bench.sql(
            "UPDATE kiln.job SET state = 'running', lease_token = 7, worker = gen_random_uuid() WHERE id = '\(id)'")
        return QueueUploadLedger.Owner(job: id, token: 7)
    }

    private func store(_ bench: ServiceBench) async throws -> (Stores, any MultipartStore) {
        let stores = try bench.configuration.storage.stores(web: .guarded)
        return (stores, try #require(stores.store(named: "s3://media") as? any MultipartStore))
    }

    @Test func `An attempt that has lost its job may begin, and complete, nothing`() async throws {
        let bench = try await ServiceBench()
        let owner = try await runningJob(bench)
        let ledger = QueueUploadLedger(queue: bench.queue, owner: owner)
        let entry = try await ledger.begin(store: "s3://media", key: "a")
        try await ledger.created(entry, upload: "u")
        try await ledger.authorize(entry)
        #expect(try await ledger.live(store: "s3://media", key: "a").map(\.upload) == ["u"])
        #expect(try await ledger.abandoned(limit: 10).isEmpty)
        // Somebody else claims it.
        try await bench.sql("UPDATE kiln.job SET lease_token = 8")
        let refusal = await #expect(throws: TransferError.self) { try await ledger.authorize(entry) }
        #expect(refusal?.code == .superseded)
        let another = await #expect(throws: TransferError.self) {
            try await ledger.begin(store: "s3://media", key: "a")
        }
        #expect(another?.code == .superseded)
        #expect(try await ledger.live(store: "s3://media", key: "a").isEmpty)
        let abandoned = try await ledger.abandoned(limit: 10)
        #expect(abandoned.map(\.upload) == ["u"] && abandoned.map(\.owner) == [owner.text])
        // Another sweeper does not get it as well.
        #expect(try await ledger.abandoned(limit: 10).isEmpty)
        try await ledger.end(entry)
        #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0")
    }

    @Test func `A sweep throws away what the dead have left, and nothing of the living`() async throws {
        let bench = try await ServiceBench()
        let (stores, store) = try await store(bench)
        let dead = try await runningJob(bench), living = try await runningJob(bench)
        func begin(_ owner: QueueUploadLedger.Owner, _ key: String, notes: Bool) async throws -> String {
            let ledger = QueueUploadLedger(queue: bench.queue, owner: owner)
            let entry = try await ledger.begin(store: store.name, key: key)
            let upload = try await store.createUpload(key, options: ObjectOptions()).id
            if notes { try await ledger.created(entry, upload: upload) }
            return upload
        }
        _ = try await begin(dead, "out/a", notes: true)
        // It died between creating it and noting its id.
        _ = try await begin(dead, "out/b", notes: false)
        let kept = [try await begin(living, "out/b", notes: true), try await begin(living, "out/c", notes: true)]
        try await bench.sql("DELETE FROM kiln.job WHERE id = '\(dead.job)'")
        let sweeper = UploadSweeper(queue: bench.queue, stores: stores, logger: Logger(label: "test"))
        #expect(try await sweeper.sweep() == 2)
        #expect(Set(bench.server.uploads.map(\.id)) == Set(kept))
        #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "2")
    }

    @Test(arguments: ["s3://media/out/a.wav", "store://a.wav"])
    func `A worker that loses its job while it works leaves nothing behind`(_ output: String) async throws {
        let release = ThreadSignal()
        var bench = try await ServiceBench { request in
            request.operation == .get && request.key == "in/clip.mkv" && request.index == 0 ? .hold(release) : nil
        }
        let folder = try Scratch()
        bench.configuration.storage.defaultStore = .folder(folder.path)
        bench.putClip()
        let id = try await bench.enqueue(
            "media.extract_audio", #"{"input": "s3://media/in/clip.mkv", "output": "\#(output)"}"#)
        let end = EndFlag()
        try await bench.serving(middlewares: [end]) { [bench] _ in
            _ = try await bench.until { bench.server.requests(.get).isEmpty ? nil : true }
            // What a rescue and the next claim do.
            try await bench.sql("UPDATE kiln.job SET lease_token = lease_token + 1000000, worker = gen_random_uuid()")
            release.raise()
            await end.flag.wait()
        }
        #expect(bench.server.keys == ["in/clip.mkv"] && bench.server.uploads.isEmpty)
        #expect(folder.names.isEmpty)
        #expect(try await bench.queue.job(id)?.state == .running)
        #expect(try await bench.sql("SELECT count(*) FROM kiln.effect") == "0")
    }

    @Test(arguments: [true, false])
    func `A file is taken back only by the attempt that still has its job`(_ holds: Bool) async throws {
        let bench = try await ServiceBench()
        let folder = try Scratch()
        let ledger = QueueUploadLedger(queue: bench.queue, owner: try await runningJob(bench))
        let sink = FencedSink(try FileSink(path: folder.path + "/a.wav", overwrite: true)) {
            try await ledger.authorize()
        }
        try await BlockingThread.run { try sink.finish() }
        if !holds { try await bench.sql("UPDATE kiln.job SET lease_token = 8") }
        try await BlockingThread.run { sink.retract() }
        #expect(folder.names == (holds ? [] : ["a.wav"]))
    }
}
