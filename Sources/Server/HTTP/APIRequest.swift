import Foundation
import Hummingbird
import HummingbirdCore
import JobQueue
import Logging

/// A request that has found its route, as handlers see it.
struct APIRequest: Sendable {
    /// What arrived, for those that need more of it than what follows.
    var raw: Request
    var caller: Caller
    /// In the answer and in logs.
    var id: String
    /// Of the path, decoded.
    var path: [String: String]
    /// Of the query, each of the type that its schema says.
    var query: [String: [JSONValue]]
    /// The body, checked against the route's schema; nil if there was none, or it is not JSON.
    var body: JSONValue?
    /// The body as it came.
    var bytes: [UInt8]
    var logger: Logger

    /// A member of the body; `null` is none.
    subscript(name: String) -> JSONValue? { body?.member(name) }

    func parameter(_ name: String) -> JSONValue? { query[name]?.first }

    /// The id in the path.
    ///
    /// - Throws: 404 for what cannot be one.
    func jobID(_ name: String = "id", of what: String = "job") throws(Problem) -> JobID {
        guard let text = path[name], let id = JobID(uuidString: text) else {
            throw .notFound("there is no such \(what): ids are UUIDs")
        }
        return id
    }
}
