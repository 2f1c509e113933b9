import ByteIO
import FoundationEssentials
import JobQueue
import MediaKit
import Synchronization
import Transfer

/// What the locations in a job's payload mean, and what became of its outputs.
///
/// Uploads are in the ledger under the attempt's fence. An output that an earlier attempt of the same job may have written
/// is replaced; one that is another's is not: a name belongs to the job that took it first, be it a key, a file or a URL.
final class JobResolver: MediaResolver {
    private let stores: Stores
    private let queue: QueueClient
    private let owner: QueueUploadLedger.Owner
    private let kind: String
    /// How long it was waited for bytes.
    let meter = StreamMeter()
    private let sinks = Mutex<[String: any ByteSink]>([:])
    private let held = HeldInputs()
    /// Locations of inputs that are read more than once.
    private let repeated = Mutex<Set<String>>([])

    init(_ services: JobServices, job: JobContext) {
        stores = services.stores
        queue = services.queue
        owner = QueueUploadLedger.Owner(job)
        kind = job.kindName
    }

    func source(for location: String) throws -> any ByteSource {
        let place = try place(location)
        let isRepeated = repeated.withLock { $0.contains(location) }
        let source = DeferredSource(name: place.description) { [stores, held] in
            guard isRepeated else { return try await stores.source(for: place) }
            return try await held.source(location, name: place.description) {
                try await stores.source(for: place, options: $0)
            }
        }
        return MeteredSource(source, meter)
    }

    /// Has an input that will be read more than once held as far as that goes. To be said before it is read.
    func expectRepeats(of location: String) { repeated.withLock { _ = $0.insert(location) } }

    func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        let place = try place(location)
        let sink = DeferredSink(name: place.description) { [self] in
            let sink = try await open(place, overwrite: overwrite)
            sinks.withLock { $0[location] = sink }
            return sink
        }
        return MeteredSink(sink, meter)
    }

    /// Takes the name of an output that will be written later, and writes nothing: who finds it taken need not work first.
    ///
    /// - Throws: as writing it does.
    func claim(_ location: String, overwrite: Bool) async throws {
        let place = try place(location)
        do {
            let sink = try await open(place, overwrite: overwrite)
            try await Bounded.blocking { sink.abort() }
        } catch { throw MediaError(store: error, output: place.description) }
    }

    private func place(_ location: String) throws -> ObjectLocation {
        // The location itself may hold a signature, and be anything.
        do { return try ObjectLocation(location) } catch { throw MediaError(error, input: nil) }
    }

    private func open(_ place: ObjectLocation, overwrite: Bool) async throws -> any ByteSink {
        let ledger = QueueUploadLedger(queue: queue, owner: owner)
        let object = try stores.store(for: place)
        let name = OutputName(place, object)
        // What an earlier attempt found free and took, it may have written, too.
        let isOwn = try await queue.owns(owner.job, place: name.place, name: name.name)
        if isOwn, !overwrite, let object, object.store is any MultipartStore {
            try await expectOwn(object.key, in: object.store, place)
        }
        let options = ObjectOptions(
            contentType: ContentType.of(place), metadata: [Self.jobKey: ownID, "kiln-kind": kind],
            overwrite: overwrite || isOwn)
        // Looks whether it is free. Dropped without a trace where the name cannot be taken.
        let sink = try await stores.sink(for: place, options: options, upload: UploadOptions(ledger: ledger))
        switch try await queue.takeName(
            owner.job, token: owner.token, place: name.place, name: name.name, replacing: overwrite)
        {
        case .taken: return sink is MultipartSink ? sink : FencedSink(sink) { try await ledger.authorize() }
        case .fenced:
            throw TransferError(.superseded, "the job is no longer run by this attempt", isRetryable: false)
        case .refused(let other):
            throw TransferError(
                .exists, "\(place) belongs to job \(other.uuidString.lowercased())",
                hint: "choose another output, or leave it out for one of the job's own", isRetryable: false)
        }
    }

    /// The name is the job's, but somebody who asks for no names may have put an object of theirs there: those of jobs say
    /// whose they are.
    private func expectOwn(_ key: String, in store: any ObjectStore, _ place: ObjectLocation) async throws {
        do {
            guard try await store.head(key).metadata[Self.jobKey] != ownID else { return }
        } catch let error as TransferError where error.code == .notFound {
            return
        }
        throw TransferError(
            .exists, "\(place) exists already, and was not written by this job",
            hint: "choose another output, or allow it to be replaced", isRetryable: false)
    }

    private static let jobKey = "kiln-job"
    private var ownID: String { owner.job.uuidString.lowercased() }

    // MARK: What was written

    /// What the store knows of an output that is finished.
    ///
    /// - Parameters:
    ///   - location: as the sink was asked for.
    ///   - size: bytes, as the engine counted them.
    ///   - publicURL: what keys are appended to for everybody.
    func output(_ location: String, size: Int64, publicURL: HTTPURL?) async throws -> JobResult.Output {
        let place = try place(location)
        guard let (store, key) = try stores.store(for: place) else {
            return JobResult.Output(url: place.description, size: size, duration: 0)
        }
        let sink = sinks.withLock { $0[location] }
        // Folders and the like are asked.
        var object = (sink as? MultipartSink)?.object
        if object == nil { object = try? await store.head(key) }
        var output = JobResult.Output(
            url: Self.url(of: key, in: store), key: key, size: object?.size ?? size, duration: 0)
        output.etag = object?.etag?.rawValue
        output.checksum = object?.checksums.first.map { JobResult.Checksum($0) }
        if case .store = place, let publicURL {
            // Encoded as a path is.
            let path = ObjectLocation.store(key: key).description.dropFirst("store://".count)
            let base = publicURL.text
            output.publicURL = base + (base.hasSuffix("/") ? "" : "/") + path
        }
        return output
    }

    /// What the object is called whatever `store://` means elsewhere.
    static func url(of key: String, in store: any ObjectStore) -> String {
        let bucket = store.name.dropFirst("s3://".count)
        guard store.name.hasPrefix("s3://") else { return ObjectLocation.store(key: key).description }
        return ObjectLocation.bucket(String(bucket), key: key).description
    }
}
