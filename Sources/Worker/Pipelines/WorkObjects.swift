import FoundationEssentials
import JobQueue
import Logging
import MediaKit
import Providers
import Transfer

/// What a pipeline keeps in the default store from one step to the next.
struct WorkObjects: Sendable {
    private let prefix: String
    private let services: JobServices
    private let logger: Logger

    init(_ job: JobContext, _ services: JobServices) {
        prefix = Self.folder + job.id.uuidString.lowercased() + "/"
        self.services = services
        logger = job.logger
    }

    /// Where it lies, by the ids of jobs.
    static let folder = "work/"

    /// The location of an object of that name.
    func location(_ name: String) -> String { ObjectLocation.store(key: prefix + name).description }

    /// Pictures that are going to be encoded once more: hardly a loss, and quickly made.
    static let video = VideoSettings(codec: .h264, crf: 8, preset: "ultrafast")

    /// Copies what a service has made, which it does not keep.
    ///
    /// - Returns: the copy's location.
    func fetch(_ url: String, as name: String, _ media: MediaRun) async throws -> String {
        let place = location(name)
        _ = try await media.copy(
            url, to: place, overwrite: true, limit: services.configuration.limits.outputBytes ?? .max)
        return place
    }

    /// Deletes all of it. What cannot be deleted stays, and is told: the result is there.
    func delete() async {
        do {
            guard let (store, key) = try services.stores.store(for: .store(key: prefix + "-")) else { return }
            let folder = String(key.dropLast())
            try await store.deleteAll(below: folder)
        } catch {
            logger.warning("what the steps have left below \(prefix) cannot be deleted: \(error)")
        }
    }
}

extension ObjectStore {
    /// Deletes all objects whose keys begin so.
    func deleteAll(below prefix: String) async throws {
        var start: String?
        repeat {
            let page = try await list(prefix: prefix, from: start, limit: 1000)
            for object in page.objects {
                try Task.checkCancellation()
                try await delete(object.key)
            }
            start = page.next
        } while start != nil
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
        // A URL of the web takes the one file that it was made for.
        self.asked = Self.isWeb(asked) ? "" : asked
        // Files that differ in nothing but their endings must not fall on one name.
        let template = services.configuration.outputs.keyTemplate
        self.template = template.contains("{extension}") ? template : template + ".{extension}"
    }

    static func isWeb(_ location: String) -> Bool {
        let scheme = location.prefix { $0 != ":" }.lowercased()
        return scheme == "http" || scheme == "https"
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
            "video/quicktime": "mov",
        ]
        if let contentType, let ending = endings[contentType.lowercased()] { return ending }
        let path = url.split(separator: "?").first ?? ""
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), endings.values.contains(String(name[name.index(after: dot)...])) else {
            return usual
        }
        return String(name[name.index(after: dot)...])
    }
}
