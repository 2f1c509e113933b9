import FoundationEssentials
import JobQueue
import Logging
import MediaKit
import Providers
import Transfer

/// What a pipeline keeps in the default store from one step to the next: objects below `work/` and the job's id.
///
/// They are deleted when the job has succeeded. Those of a job that ended otherwise are left for a day, as somebody may have
/// it run again, and are swept then; see ``LeftWork``.
struct WorkObjects: Sendable {
    private let prefix: String
    private let job: JobContext
    private let services: JobServices

    init(_ job: JobContext, _ services: JobServices) {
        prefix = "work/\(job.id.uuidString.lowercased())/"
        self.job = job
        self.services = services
    }

    /// The location of an object of that name.
    func location(_ name: String) -> String { ObjectLocation.store(key: prefix + name).description }

    /// Pictures that are going to be encoded once more: hardly a loss, and quickly made.
    static let video = VideoSettings(codec: .h264, crf: 8, preset: "ultrafast")

    /// A note in the queue that there are such objects.
    struct Folder: Sendable {
        fileprivate var effect: UUID
        fileprivate var store: any ObjectStore
        fileprivate var key: String
    }

    /// Notes that the job is going to leave objects: before it does.
    ///
    /// - Returns: `nil` without a store.
    func begin() async throws -> Folder? {
        guard let (store, key) = try services.stores.store(for: .store(key: prefix + "-")) else { return nil }
        let folder = String(key.dropLast())
        guard
            let effect = try await services.queue.beginEffect(
                of: job.id, token: job.token, place: store.name, name: folder)
        else {
            throw QueueError(.leaseLost, "job \(job.id.uuidString.lowercased()) is no longer this worker's")
        }
        try await services.queue.noteEffect(effect, reference: LeftWork.mark)
        return Folder(effect: effect, store: store, key: folder)
    }

    /// Copies what a service has made, which it does not keep.
    ///
    /// - Returns: the copy's location.
    /// - Throws: ``ProviderError`` of code `expired` if it is gone.
    func fetch(_ made: GeneratedMedia, as name: String, _ media: MediaRun) async throws -> String {
        let place = location(name)
        do {
            _ = try await media.copy(made.url, to: place, overwrite: true, limit: Self.largest)
        } catch let error where Self.tellsOfNothing(error) {
            // The store to which it is copied may say so, too.
            do { _ = try await media.read(made.url, limit: 0) } catch let why where Self.tellsOfNothing(why) {
                throw ProviderError(
                    .expired, "what was made is no longer there", provider: "kiln", requestID: made.requestID,
                    isRetryable: true, cause: why)
            } catch {}
            throw error
        }
        return place
    }

    /// Bytes of a picture or clip at most.
    private static let largest: Int64 = 4 << 30

    private static func tellsOfNothing(_ error: any Error) -> Bool {
        let transfer = (error as? MediaError)?.cause as? TransferError ?? error as? TransferError
        return transfer?.status == 404 || transfer?.status == 410
    }

    /// Deletes all of it. What cannot be deleted is left to those who sweep: the result is there.
    func delete(_ folder: Folder?) async {
        guard let folder else { return }
        do {
            try await Self.delete(folder.key, in: folder.store)
            try await services.queue.endEffect(folder.effect)
        } catch {
            job.logger.warning("what the steps have left below \(prefix) cannot be deleted now: \(error)")
        }
    }

    fileprivate static func delete(_ folder: String, in store: any ObjectStore) async throws {
        while true {
            let page = try await store.list(prefix: folder, from: nil, limit: 100)
            for object in page.objects { try await store.delete(object.key) }
            // What was listed is gone: the next ones are the first.
            if page.objects.isEmpty || page.next == nil { return }
        }
    }
}

/// What pipelines have left of jobs that came to no good end.
struct LeftWork: Sendable {
    /// What tells such notes from those of uploads.
    static let mark = "folder"

    let queue: QueueClient
    let stores: Stores
    let logger: Logger

    /// Deletes what is left of jobs that have ended, and of those that did not succeed after a while.
    ///
    /// - Parameters:
    ///   - effects: whose attempts are over.
    ///   - age: seconds for which a job that has failed may be run again from where it was.
    func sweep(_ effects: [OutsideEffect], keeping age: Double) async throws {
        guard !effects.isEmpty else { return }
        let glances = try await queue.glances(at: Array(Set(effects.map(\.job))))
        let jobs = Dictionary(glances.map { ($0.id, $0) }) { first, _ in first }
        for effect in effects {
            if let job = jobs[effect.job] {
                guard let end = job.finishedAt else { continue }
                guard job.state == .succeeded || Date.now.timeIntervalSince(end) >= age else { continue }
            }
            guard let store = stores.store(named: effect.place) else { continue }
            do {
                try await WorkObjects.delete(effect.name, in: store)
                try await queue.endEffect(effect.id)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning(
                    "what steps have left cannot be deleted: \(error)",
                    metadata: ["store": "\(effect.place)", "key": "\(effect.name)"])
            }
        }
    }
}

/// Where a pipeline's result goes, and what is written beside it.
struct ResultPlace {
    private let job: JobContext
    private let template: String
    private let asked: String

    /// - Parameter asked: what the payload says; empty for nothing.
    init(_ job: JobContext, _ services: JobServices, asked: String) {
        self.job = job
        self.asked = Self.isWeb(asked) ? "" : asked
        // Files that differ in nothing but their endings must not fall on one name.
        let template = services.configuration.outputs.keyTemplate
        self.template = template.contains("{extension}") ? template : template + ".{extension}"
    }

    /// Whether it is a URL of the web, which takes the one file that it was made for.
    static func isWeb(_ location: String) -> Bool {
        location.lowercased().hasPrefix("http://") || location.lowercased().hasPrefix("https://")
    }

    /// A location like the result's, with another ending.
    func beside(_ fileExtension: String) -> String {
        let place = OutputPlace(job)
        var stem = asked.replacing(".{extension}", with: "")
        if let dot = stem.lastIndex(of: "."), !stem[dot...].contains("/"), Container(fileName: stem) != nil {
            stem = String(stem[..<dot])
        }
        return place.location(
            asked: stem.isEmpty ? "" : "\(stem).\(fileExtension)", template: template, fileExtension: fileExtension)
    }
}

extension GeneratedMedia {
    /// By its type, or else its name.
    func fileExtension(else usual: String) -> String {
        let endings = [
            "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "video/mp4": "mp4", "video/webm": "webm",
            "video/quicktime": "mov", "image/jpg": "jpg", "image/gif": "gif", "image/avif": "avif",
        ]
        // "image/png; charset=binary"
        let type = contentType?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
        if let type, let ending = endings[type] { return ending }
        let path = url.split(separator: "?").first ?? ""
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: ".") else { return usual }
        let ending = name[name.index(after: dot)...].lowercased()
        if ending == "jpeg" { return "jpg" }
        return endings.values.contains(ending) ? ending : usual
    }
}
