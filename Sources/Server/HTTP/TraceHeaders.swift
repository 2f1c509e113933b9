import HTTPTypes
import HummingbirdCore
import JobQueue

/// The trace that a request is part of, handed on to the jobs that it makes: in their metadata, where workers look for it.
/// https://www.w3.org/TR/trace-context/
enum TraceHeaders {
    /// Adds `traceparent` and `tracestate`, unless the metadata has a trace of its own, or is something else than an
    /// object. What is not valid in them is the workers' to ignore.
    static func adding(to metadata: JSONValue?, from request: Request) -> JSONValue? {
        guard let parent = request.headers[text: "traceparent"], (55...128).contains(parent.utf8.count) else {
            return metadata
        }
        guard var members = metadata == nil || metadata == .null ? [:] : metadata?.members,
            members["traceparent"] == nil
        else { return metadata }
        members["traceparent"] = .string(parent)
        // Several lines are one list, as everywhere in HTTP.
        let state = request.headers.filter { $0.name.canonicalName == "tracestate" }.map(\.value).joined(separator: ",")
        if (1...512).contains(state.utf8.count) {
            members["tracestate"] = .string(state)
        }
        return .object(members)
    }
}
