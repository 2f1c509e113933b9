import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue

/// One thing that the API does. The router, the checks of what arrives and the OpenAPI document are all made of these.
struct Route: Sendable {
    typealias Handler = @Sendable (APIRequest) async throws -> Response

    /// A part of the path or query.
    struct Parameter: Sendable {
        enum Place: String, Sendable { case path, query, header }
        var name: String
        var place: Place
        var schema: JSONValue
        var summary: String
        /// Whether it may come several times, or with commas.
        var isList = false
        /// Whether the document says that it is needed; those of a path are anyway. Header fields are for the route, or
        /// its signature, to look at.
        var isRequired = false
    }

    /// What a request carries.
    struct Body: Sendable {
        /// Its media type. What is not JSON is handed on as it came: ``APIRequest/bytes``.
        var type = BodyReader.json
        var schema: JSONValue
        var isRequired = true
        var example: JSONValue?
    }

    /// What comes back when all is well, or an error that is the route's own.
    struct Reply: Sendable {
        var status: Int
        var summary: String
        var schema: JSONValue?
        var type = "application/json"
        var headers: [String: String] = [:]
    }

    var method: HTTPRequestMethod
    /// With parameters in braces: `/v1/jobs/{id}`. A last one with a plus, `{+key}`, stands for all that is left, with
    /// the slashes in it (RFC 6570, §3.2.3).
    var path: String
    /// The name of the operation, unique.
    var name: String
    var summary: String
    var details: String = ""
    /// What it is listed under.
    var group: String
    /// One of these is needed; empty: no token is.
    var scopes: Set<TokenScope>
    /// How the sender is known; nil (default): by token, or not at all. With it, `scopes` is empty.
    var signature: (any RequestSignature)?
    var parameters: [Parameter] = []
    var body: Body?
    /// Whether the handler itself reads what the request carries, to the end.
    var readsBody = false
    /// Whether it takes an `Idempotency-Key`.
    var isIdempotentByKey = false
    var replies: [Reply]
    /// Whether the document of the API tells of it. URLs that the server hands out whole are nothing to be put together.
    var isDocumented = true
    var handle: Handler

    /// The path between its slashes.
    var segments: [Segment] {
        path.split(separator: "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasPrefix("+") ? .rest(String(name.dropFirst())) : .parameter(String(name))
        }
    }

    enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        case rest(String)
    }
}

/// The methods that routes have.
enum HTTPRequestMethod: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
}
