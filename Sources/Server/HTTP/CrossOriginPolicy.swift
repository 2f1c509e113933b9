import HTTPTypes
import HummingbirdCore

/// What browsers are told about requests from pages of other origins. https://fetch.spec.whatwg.org/#http-cors-protocol
struct CrossOriginPolicy: Sendable {
    private let origins: Set<String>

    init(_ settings: ServerSettings.CrossOrigin) { origins = Set(settings.origins) }

    func allows(_ origin: String) -> Bool { origins.contains("*") || origins.contains(origin) }

    /// What every answer gets.
    func decorate(_ headers: inout HTTPFields, origin: String?) {
        guard !origins.isEmpty else { return }
        // Also without an origin: a cache must not give this answer to one that has one.
        headers[text: "Vary"] = "Origin"
        guard let origin, allows(origin) else { return }
        headers[text: "Access-Control-Allow-Origin"] = origins.contains("*") ? "*" : origin
        headers[text: "Access-Control-Expose-Headers"] =
            "Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotency-Replayed"
    }

    /// What is answered to a browser that asks before it sends the request itself.
    func preflight(methods: [String]) -> [String: String] {
        [
            "Access-Control-Allow-Methods": methods.joined(separator: ", "),
            "Access-Control-Allow-Headers":
                "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id",
            "Access-Control-Max-Age": "7200",
        ]
    }
}
