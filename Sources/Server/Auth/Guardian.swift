import HTTPTypes
import HummingbirdCore

/// Finds out who asks.
struct Guardian: Sendable {
    let settings: ServerSettings
    let verifier: TokenVerifier
    /// Of failed attempts to be let in, by address. Requests that are let in are counted elsewhere: who fails at an
    /// address takes nothing away from who does not.
    let failures: RateLimiter
    let crossOrigin: CrossOriginPolicy

    /// - Parameter address: as ``address(of:_:)`` has it.
    /// - Throws: ``Problem`` 401 without a token that is good, where one is needed; 429 for somebody who tries many;
    ///   403 or 421 for what a page in a browser on this machine may have been made to send.
    func caller(of request: Request, at address: String, for route: Route) async throws -> Caller {
        let subject = "address \(address)"
        if route.scopes.isEmpty { return Caller(subject: subject, scopes: [], token: nil) }
        if let header = request.headers[.authorization] {
            guard let text = Self.bearer(header), let token = try await token(text, at: subject) else {
                throw refusal("the token is not known, has ended or was revoked", at: subject)
            }
            var caller = Caller(subject: "token \(token.id)", scopes: Set(token.scopes), token: token.id)
            caller.isStillWelcome = { [verifier] in
                guard let token = try await verifier.verify(text) else { return false }
                return Set(token.scopes).allow(oneOf: route.scopes)
            }
            return caller
        }
        guard settings.mayServeAnybody, try await !verifier.hasAny() else {
            throw refusal("the request has no token", at: subject)
        }
        try refuseProxies(request)
        try refuseBorrowedBrowsers(request)
        var caller = Caller(subject: subject, scopes: Set(TokenScope.allCases), token: nil)
        caller.isStillWelcome = { [verifier] in try await !verifier.hasAny() }
        return caller
    }

    /// The database is not asked for somebody who has failed too often, unless the token has been seen before.
    private func token(_ text: String, at subject: String) async throws -> TokenStore.TokenInfo? {
        if !verifier.remembers(text) {
            let verdict = failures.look(subject)
            guard verdict.isAllowed else { throw tooMany(verdict) }
        }
        return try await verifier.verify(text)
    }

    /// Counts somebody who is not let in.
    private func refusal(_ detail: String, at subject: String) -> Problem {
        let verdict = failures.take(subject)
        guard verdict.isAllowed else { return tooMany(verdict) }
        var problem = Problem.unauthorized(detail)
        problem.headers.merge(failures.headers(verdict)) { $1 }
        return problem
    }

    private func tooMany(_ verdict: RateLimiter.Verdict) -> Problem {
        var problem = APIResponder.tooMany(verdict)
        problem.headers.merge(failures.headers(verdict)) { $1 }
        return problem
    }

    /// Whoever has signed a request whose body has been read.
    ///
    /// - Throws: ``Problem`` 401 if nobody has who is known.
    func caller(
        of request: Request, _ body: [UInt8], by signature: any RequestSignature
    ) throws(Problem) -> Caller {
        let signer = try signature.verify(
            SignedRequest(
                method: request.method.rawValue, url: publicURL(of: request), headers: request.headers, body: body,
                receivedAt: settings.now()))
        return Caller(subject: "signer \(signer.name)", scopes: [], token: nil, signer: signer)
    }

    /// Where the request was sent to, as far as that is known here: before a proxy it may have been another host.
    private func publicURL(of request: Request) -> String {
        let target = request.uri.path + (request.uri.query.map { "?" + $0 } ?? "")
        guard settings.publicURL == nil else { return settings.location(target) }
        return "http://\(request.head.authority ?? settings.address)\(target)"
    }

    /// The address that limits are counted by: the peer's, or what the outermost of our proxies has seen.
    func address(of request: Request, _ source: RequestSource) -> String {
        AddressGroup.name(of: client(of: request, source))
    }

    private func client(of request: Request, _ source: RequestSource) -> String {
        guard settings.proxies > 0 else { return source.address }
        let seen = request.headers.filter { $0.name.canonicalName == "x-forwarded-for" }
            .flatMap { $0.value.split(separator: ",") }.map(\.trimmingSpaces)
        return seen.suffix(settings.proxies).first ?? source.address
    }

    private static func bearer(_ header: String) -> String? {
        let scheme = header.prefix { $0 != " " }
        guard scheme.lowercased() == "bearer" else { return nil }
        return header.dropFirst(scheme.count).trimmingSpaces
    }

    /// Through a proxy, anybody comes from this machine.
    private func refuseProxies(_ request: Request) throws(Problem) {
        let isForwarded = request.headers.contains { field in
            field.name.canonicalName == "forwarded" || field.name.canonicalName.hasPrefix("x-forwarded-")
        }
        guard isForwarded else { return }
        throw .forbidden(
            "without tokens only requests from this machine are served, and this one came through a proxy",
            hint: "make a token with kiln token create")
    }

    /// Where no token is asked for, being on this machine is what gives the right; but so is any page in a browser here.
    /// One of another origin must not act in our name, nor one whose host's name was made to lead here (DNS rebinding).
    private func refuseBorrowedBrowsers(_ request: Request) throws(Problem) {
        let authority = request.head.authority ?? ""
        let host = Self.host(of: authority)
        guard host.isEmpty || Self.isThisMachine(host) || host == settings.publicHost else {
            throw Problem(
                421, "misdirected", "The request was meant for another host",
                "without tokens only requests to localhost are served", hint: "make a token with kiln token create")
        }
        guard let origin = request.headers[text: "Origin"], !crossOrigin.allows(origin),
            origin != "http://\(authority)", origin != "https://\(authority)"
        else { return }
        throw .forbidden("pages of this origin may not use the API", hint: "allow the origin in the settings")
    }

    private static func host(of authority: String) -> String {
        if authority.hasPrefix("[") { return authority.prefix { $0 != "]" }.lowercased() + "]" }
        return authority.prefix { $0 != ":" }.lowercased()
    }

    private static func isThisMachine(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host.hasSuffix(".localhost")
            || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
