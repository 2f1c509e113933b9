/// All routes, and which of them a request means.
struct RouteTable: Sendable {
    enum Match: Sendable {
        case found(Route, parameters: [String: String])
        /// The path is there, for these methods.
        case otherMethods([String])
        case none
    }

    let routes: [Route]
    private let segments: [[Route.Segment]]

    init(_ routes: [Route]) {
        self.routes = routes
        segments = routes.map(\.segments)
    }

    /// - Parameters:
    ///   - method: `HEAD` is `GET` without the body.
    ///   - path: as it came, percent-encoded.
    /// - Throws: 400 for a path that is not UTF-8.
    func match(_ method: String, _ path: String) throws(Problem) -> Match {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let method = method == "HEAD" ? "GET" : method
        var others: Set<String> = []
        // A slash at the end, or two in a row, make it another path.
        guard path == "/" || "/" + parts.joined(separator: "/") == path else { return .none }
        for (route, segments) in zip(routes, segments) {
            guard let parameters = try Self.parameters(parts, segments) else { continue }
            if route.method.rawValue == method { return .found(route, parameters: parameters) }
            others.insert(route.method.rawValue)
        }
        if others.contains("GET") { others.insert("HEAD") }
        return others.isEmpty ? .none : .otherMethods((others.union(["OPTIONS"])).sorted())
    }

    private static func parameters(
        _ parts: [Substring], _ segments: [Route.Segment]
    ) throws(Problem) -> [String: String]? {
        var parameters: [String: String] = [:]
        var parts = parts
        if case .rest(let name) = segments.last, parts.count > segments.count {
            let rest = parts[(segments.count - 1)...].joined(separator: "/")
            parts.removeSubrange((segments.count - 1)...)
            parameters[name] = try PercentDecoding.text(rest)
        }
        guard parts.count == segments.count || !parameters.isEmpty else { return nil }
        for (part, segment) in zip(parts, segments) {
            switch segment {
            case .literal(let text): guard part == text else { return nil }
            case .parameter(let name), .rest(let name): parameters[name] = try PercentDecoding.text(part)
            }
        }
        return parameters
    }
}
