import ByteIO
import FoundationEssentials
import JobQueue
import MediaKit
import Synchronization
import Transfer

/// What the locations in a job's payload mean, and what became of its outputs.
///
/// Uploads are in the ledger under the attempt's fence. An output that an earlier attempt of the same job may have written
/// is replaced; one that is another's is not: a key belongs to the job that took it first.
final class JobResolver: MediaResolver {
    private let stores: Stores
    private let queue: QueueClient
    private let owner: QueueUploadLedger.Owner
    private let kind: String
    /// How long it was waited for bytes.
    let meter = StreamMeter()
    private let sinks = Mutex<[String: any ByteSink]>([:])

    init(_ services: JobServices, job: JobContext) {
        stores = services.stores
        queue = services.queue
        owner = QueueUploadLedger.Owner(job)
        kind = job.kindName
    }

    func source(for location: String) throws -> any ByteSource {
        let place = try place(location)
        let source = DeferredSource(name: place.description) { [stores] in try await stores.source(for: place) }
        return MeteredSource(source, meter)
    }

    func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        let place = try place(location)
        let sink = DeferredSink(name: place.description) { [self] in
            let sink = try await open(place, overwrite: overwrite)
            sinks.withLock { $0[location] = sink }
            return sink
        }
        return MeteredSink(sink, meter)
    }

    private func place(_ location: String) throws -> ObjectLocation {
        // The location itself may hold a signature, and be anything.
        do { return try ObjectLocation(location) } catch { throw MediaError(error, input: nil) }
    }

    private func open(_ place: ObjectLocation, overwrite: Bool) async throws -> any ByteSink {
        var options = ObjectOptions(contentType: ContentType.of(place), overwrite: overwrite)
        let ledger = QueueUploadLedger(queue: queue, owner: owner)
        guard let (store, key) = try stores.store(for: place) else {
            return FencedSink(try await stores.sink(for: place, options: options)) { try await ledger.authorize() }
        }
        // What an earlier attempt found free and took, it may have written, too.
        let isOwn = try await queue.owns(owner.job, place: store.name, name: key)
        options.overwrite = overwrite || isOwn
        options.metadata = ["kiln-job": owner.job.uuidString.lowercased(), "kiln-kind": kind]
        // Looks whether it is free. Dropped without a trace where the name cannot be taken.
        let sink = try await store.sink(key, options: options, upload: UploadOptions(ledger: ledger))
        switch try await queue.takeName(
            owner.job, token: owner.token, place: store.name, name: key, replacing: overwrite)
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
    private static func url(of key: String, in store: any ObjectStore) -> String {
        let bucket = store.name.dropFirst("s3://".count)
        guard store.name.hasPrefix("s3://") else { return ObjectLocation.store(key: key).description }
        return ObjectLocation.bucket(String(bucket), key: key).description
    }
}
