import Foundation
import JobQueue

/// Makes jobs of what requests carry, which has been checked against ``Schemas/newJob`` before.
struct JobBody: Sendable {
    private let kinds: [String: KindDescription]

    private let reserved: Set<String>

    /// - Parameter reserved: kinds that are refused.
    init(_ kinds: [KindDescription], reserved: Set<String>) {
        self.kinds = Dictionary(kinds.map { ($0.name, $0) }) { $1 }
        self.reserved = reserved
    }

    /// - Parameter pointer: where in the body the job stands.
    /// - Throws: 422 that names the place, if the payload is not as its kind wants it.
    func job(_ body: JSONValue, at pointer: String = "") throws(Problem) -> NewJob {
        let kind = body.member("kind")?.string ?? ""
        try refuseReserved(kind, at: pointer + "/kind")
        let payload = body.member("payload") ?? .object([:])
        try check(payload, of: kind, at: pointer + "/payload")
        return NewJob(kind, payload, try options(body, at: pointer))
    }

    /// - Throws: 422 for a kind whose jobs are made by the queue alone.
    func refuseReserved(_ kind: String, at pointer: String) throws(Problem) {
        guard reserved.contains(kind) else { return }
        throw .invalid(pointer, "jobs of the kind \(kind.debugDescription) are made by the queue itself")
    }

    /// - Throws: 422 that names the place below `pointer`.
    func check(_ payload: JSONValue, of kind: String, at pointer: String) throws(Problem) {
        guard let schema = kinds[kind]?.schema else { return }
        let problems = JSONSchema(schema).problems(in: payload)
        guard problems.isEmpty else { throw .invalid(problems, below: pointer) }
    }

    /// The options of a job.
    func options(_ body: JSONValue, at pointer: String) throws(Problem) -> EnqueueOptions {
        var options = EnqueueOptions()
        options.queue = body.member("queue")?.string
        options.priority = body.member("priority")?.integer.map { Int($0) }
        options.runAt = body.member("runAt")?.string.flatMap { QueueJSON.date(from: $0) }
        options.maxAttempts = body.member("maxAttempts")?.integer.map { Int($0) }
        options.timeout = body.member("timeoutSeconds")?.double.map { .seconds($0) }
        options.concurrencyKey = body.member("concurrencyKey")?.string
        options.dependsOn =
            body.member("dependsOn")?.elements?.compactMap { $0.string.flatMap { JobID(uuidString: $0) } } ?? []
        options.onParentFailure = body.member("onParentFailure")?.string.flatMap { ParentFailure(rawValue: $0) }
        options.workflow = body.member("workflow")?.string.flatMap { UUID(uuidString: $0) }
        options.cores = body.member("cores")?.double
        options.memory = body.member("memory")?.integer
        options.metadata = body.member("metadata")
        if let unique = body.member("unique") {
            options.unique = Unique(
                unique.member("key")?.string ?? "", scope: try scope(unique, at: pointer + "/unique"),
                onDuplicate: unique.member("onDuplicate")?.string.flatMap { Unique.OnDuplicate(rawValue: $0) } ?? .keep)
        }
        return options
    }

    private func scope(_ unique: JSONValue, at pointer: String) throws(Problem) -> Unique.Scope {
        let seconds = unique.member("periodSeconds")?.double
        let scope = unique.member("scope")?.string ?? (seconds == nil ? "unfinished" : "period")
        if let seconds {
            guard scope == "period" else {
                throw .invalid(pointer + "/periodSeconds", "it goes with the scope \"period\" only")
            }
            return .period(.seconds(seconds))
        }
        guard scope != "period" else { throw .invalid(pointer, "the scope \"period\" needs periodSeconds") }
        return scope == "waiting" ? .waiting : .unfinished
    }
}
