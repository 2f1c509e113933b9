import FoundationEssentials
import JobQueue
import MediaKit
import Transfer

/// Where a job's result goes.
///
/// A key is made of nothing but what stays the same over a job's attempts, so that a retry writes the same one.
struct OutputPlace {
    /// Lower case.
    let jobID: String
    let createdAt: Date
    let kind: String

    init(_ job: JobContext) {
        self.init(id: job.id, createdAt: job.createdAt, kind: job.kindName)
    }

    init(id: UUID, createdAt: Date, kind: String) {
        jobID = id.uuidString.lowercased()
        self.createdAt = createdAt
        self.kind = kind
    }

    /// The location of a job's output.
    ///
    /// - Parameters:
    ///   - asked: what the payload says, in which the placeholders are filled in; empty for nothing.
    ///   - template: of a key in the default store, where the payload says nothing.
    ///   - container: gives the file extension.
    func location(asked: String, template: String, container: Container) -> String {
        location(asked: asked, template: template, fileExtension: container.fileExtension)
    }

    /// The same for what is in no container.
    func location(asked: String, template: String, fileExtension: String) -> String {
        guard asked.isEmpty else { return filled(asked, fileExtension) }
        return ObjectLocation.store(key: filled(template, fileExtension)).description
    }

    private func filled(_ template: String, _ fileExtension: String) -> String {
        let milliseconds = Int64((createdAt.timeIntervalSince1970 * 1000).rounded(.down))
        return [
            "{jobId}": jobID, "{timestamp}": "\(milliseconds)", "{kind}": kind,
            "{extension}": fileExtension,
        ].reduce(template) { text, part in text.replacing(part.key, with: part.value) }
    }
}
