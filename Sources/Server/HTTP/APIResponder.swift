import CoreMetrics
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue
import Logging
import NIOHTTP1

/// Takes a request from its arrival to its answer: finds the route, asks who it is, counts, checks what was sent, and
/// makes a problem of every error.
struct APIResponder: HTTPResponder {
    typealias Context = RequestSource

    let table: RouteTable
    /// What the schemas of routes point into.
    let document: JSONValue
    let settings: ServerSettings
    let guardian: Guardian
    let limiter: RateLimiter
    let crossOrigin: CrossOriginPolicy

    func respond(to request: Request, context: RequestSource) async throws -> Response {
        let begin = ContinuousClock.now
        let id = RequestID.of(request)
        var logger = context.logger
        logger[metadataKey: "request_id"] = "\(id)"
        // Hummingbird's own, which says the same.
        logger[metadataKey: "hb.request.id"] = nil
        var extra: [String: String] = [:]
        var response: Response
        var found = Found()
        do {
            response = try await answer(request, context, id: id, logger: logger, found: &found, headers: &extra)
        } catch let error as HTTPParserError {
            // The connection is of no more use; Hummingbird says so and closes it.
            throw error
        } catch {
            let problem = Problem(error)
            if problem.status >= 500 { logger.error("\(request.method) \(request.uri.path): \(error)") }
            response = Answer.problem(problem, requestID: id)
        }
        for (name, value) in extra { response.headers[text: name] = value }
        // What the client goes on sending is not waited for: it might never end.
        if !found.hasRead, Self.hasBody(request) { response.headers[text: "Connection"] = "close" }
        decorate(&response, request, id: id)
        let elapsed = begin.duration(to: .now)
        measure(request, response, found.route, elapsed)
        log(request, response, found.caller, context, logger, elapsed)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// What is known of a request, however it ends.
    private struct Found {
        var route: Route?
        var caller: Caller?
        /// Whether the request's body has been read.
        var hasRead = false
    }

    private static func hasBody(_ request: Request) -> Bool {
        request.headers[text: "Transfer-Encoding"] != nil
            || request.headers[text: "Content-Length"].map { $0 != "0" } == true
    }

    private func answer(
        _ request: Request, _ source: RequestSource, id: String, logger: Logger, found: inout Found,
        headers: inout [String: String]
    ) async throws -> Response {
        // Of the first, Hummingbird makes the authority.
        guard request.headers[text: "Host"] == nil else {
            throw Problem.badRequest("the request has several Host header fields")
        }
        let match = try table.match(request.method.rawValue, request.uri.path)
        let address = guardian.address(of: request, source)
        if request.method == .options, case .otherMethods(let methods) = match {
            try count("address \(address)", &headers)
            return Answer.empty(headers: options(request, methods))
        }
        guard case .found(let route, let path) = match else {
            try count("address \(address)", &headers)
            throw Self.unmatched(match, request)
        }
        found.route = route
        var signed: [UInt8]?
        let caller: Caller
        if let signature = route.signature {
            // Who has signed shows once all of it is there: until then it is the address that counts.
            try count("address \(address)", &headers)
            let body = try await read(request, as: nil)
            found.hasRead = true
            caller = try guardian.caller(of: request, body, by: signature)
            signed = body
        } else {
            caller = try await guardian.caller(of: request, at: address, for: route)
        }
        found.caller = caller
        try count(caller.subject, &headers)
        guard caller.scopes.allow(oneOf: route.scopes) else {
            let needed = route.scopes.map(\.rawValue).sorted().joined(separator: " or ")
            throw Problem.forbidden(
                "the token does not allow this", hint: "it needs the scope \(needed) or admin")
        }
        let query = try QueryReader.read(request.uri.query, route.parameters, in: document)
        var bytes = signed ?? []
        if signed == nil, let expected = route.body {
            bytes = try await read(request, as: expected.type)
            found.hasRead = true
        }
        let body = try body(bytes, of: request, for: route)
        found.hasRead = found.hasRead || route.readsBody
        return try await route.handle(
            APIRequest(
                raw: request, caller: caller, id: id, path: path, query: query, body: body, bytes: bytes,
                logger: logger))
    }

    // MARK: Parts

    private func count(_ subject: String, _ headers: inout [String: String]) throws(Problem) {
        let verdict = limiter.take(subject)
        headers.merge(limiter.headers(verdict)) { $1 }
        guard verdict.isAllowed else { throw Self.tooMany(verdict) }
    }

    static func tooMany(_ verdict: RateLimiter.Verdict) -> Problem {
        Problem(
            429, "too_many_requests", "Too many requests", "requests come faster than is allowed",
            hint: "wait \(max(1, verdict.seconds)) s", headers: ["Retry-After": "\(max(1, verdict.seconds))"])
    }

    private func read(_ request: Request, as type: String?) async throws -> [UInt8] {
        try await BodyReader.read(
            request, as: type, limit: settings.limits.bodyBytes, patience: settings.limits.body)
    }

    private func body(_ bytes: [UInt8], of request: Request, for route: Route) throws(Problem) -> JSONValue? {
        guard let expected = route.body else { return nil }
        guard !bytes.isEmpty else {
            guard !expected.isRequired else {
                throw Problem.badRequest("the request has no body", hint: "send \(expected.type)")
            }
            return nil
        }
        try BodyReader.check(request, as: expected.type)
        guard expected.type == BodyReader.json else { return nil }
        let body = try BodyReader.value(bytes)
        let problems = JSONSchema(expected.schema, in: document).problems(in: body)
        guard problems.isEmpty else { throw Problem.invalid(problems) }
        return body
    }

    private func options(_ request: Request, _ methods: [String]) -> [String: String] {
        var headers = ["Allow": methods.joined(separator: ", ")]
        if let origin = request.headers[text: "Origin"], crossOrigin.allows(origin) {
            headers.merge(crossOrigin.preflight(methods: methods)) { $1 }
        }
        return headers
    }

    private static func unmatched(_ match: RouteTable.Match, _ request: Request) -> Problem {
        guard case .otherMethods(let methods) = match else {
            return .notFound("there is no such path", hint: "see /openapi.json")
        }
        return Problem(
            405, "method_not_allowed", "The path takes other methods",
            "this path takes \(methods.joined(separator: ", "))",
            headers: ["Allow": methods.joined(separator: ", ")])
    }

    private func decorate(_ response: inout Response, _ request: Request, id: String) {
        response.headers[text: "X-Request-Id"] = id
        response.headers[text: "X-Content-Type-Options"] = "nosniff"
        response.headers[text: "Referrer-Policy"] = "no-referrer"
        if response.headers[text: "Cache-Control"] == nil { response.headers[text: "Cache-Control"] = "no-store" }
        if response.headers[text: "Content-Security-Policy"] == nil {
            response.headers[text: "Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        }
        if settings.isPublicSecure {
            response.headers[text: "Strict-Transport-Security"] = "max-age=31536000"
        }
        crossOrigin.decorate(&response.headers, origin: request.headers[text: "Origin"])
    }

    /// By route, not by path: ids would make a series each.
    private func measure(_ request: Request, _ response: Response, _ route: Route?, _ elapsed: Duration) {
        let dimensions = [
            ("method", route == nil ? "other" : request.method.rawValue), ("route", route?.path ?? "none"),
            ("status", "\(response.status.code)"),
        ]
        Timer(label: "kiln_http_request_duration_seconds", dimensions: dimensions)
            .recordSeconds(elapsed / .seconds(1))
    }

    private func log(
        _ request: Request, _ response: Response, _ caller: Caller?, _ source: RequestSource, _ logger: Logger,
        _ elapsed: Duration
    ) {
        let milliseconds = elapsed / .milliseconds(1)
        var metadata: Logger.Metadata = [
            "status": "\(response.status.code)", "milliseconds": "\((milliseconds * 10).rounded() / 10)",
            "token": "\(caller?.token ?? "none")", "address": "\(source.address)",
        ]
        if let signer = caller?.signer {
            metadata["signer"] = "\(signer.name)"
            metadata["delivery"] = signer.message.map { "\($0.id)" }
        }
        logger.info("\(request.method) \(request.uri.path)", metadata: metadata)
    }
}

/// The id of a request, in its answer and in the log.
enum RequestID {
    /// The client's own, if it is a sound one; else a new one.
    static func of(_ request: Request) -> String {
        if let given = request.headers[text: "X-Request-Id"], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ byte in isPlain(byte) })
        {
            return given
        }
        return UUID().uuidString.lowercased()
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
