import JobQueue

/// The OpenAPI 3.1 description of routes: made of the table that the router goes by, so that neither can differ from
/// the other. https://spec.openapis.org/oas/v3.1.1.html
enum OpenAPIDocument {
    static func make(of routes: [Route], _ settings: ServerSettings) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in routes {
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] = operation(route)
        }
        var groups: [String] = []
        for route in routes where !groups.contains(route.group) { groups.append(route.group) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Kiln", "version": .string(settings.version),
                "description": "Jobs in, results out: the HTTP door to a queue of media jobs in Postgres.",
            ],
            "servers": [["url": .string(settings.location("").isEmpty ? "/" : settings.location(""))]],
            "tags": .array(groups.map { ["name": .string($0)] }),
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(Schemas.components.merging(payloads(settings.kinds)) { $1 }),
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "A token of `kiln token create`. Its scopes: produce, read, admin.",
                    ]
                ],
            ],
        ]
    }

    /// The schemas of payloads, for people to read; requests are checked against them by kind.
    private static func payloads(_ kinds: [KindDescription]) -> [String: JSONValue] {
        var schemas: [String: JSONValue] = [:]
        for kind in kinds {
            // References within such a schema are from its own top, which is another here.
            guard let schema = kind.schema, !hasReferences(schema) else { continue }
            schemas[
                "Payload-" + kind.name.map { $0.isLetter || $0.isNumber || $0 == "." ? String($0) : "_" }.joined()] =
                schema
        }
        return schemas
    }

    private static func hasReferences(_ schema: JSONValue) -> Bool {
        switch schema {
        case .object(let members):
            members.keys.contains { $0 == "$ref" || $0 == "$id" } || members.values.contains(where: hasReferences)
        case .array(let elements): elements.contains(where: hasReferences)
        default: false
        }
    }

    private static func operation(_ route: Route) -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .string(route.name), "summary": .string(route.summary),
            "tags": [.string(route.group)], "responses": .object(responses(route)),
        ]
        if !route.details.isEmpty { operation["description"] = .string(route.details) }
        // An empty list says that no token is needed; the empty object, that none is where the server has none.
        let security: JSONValue = route.scopes.isEmpty ? [] : [["token": []], .object([:])]
        operation["security"] = security
        if !route.scopes.isEmpty {
            operation["x-scopes"] = .array(route.scopes.map(\.rawValue).sorted().map { .string($0) })
        }
        var parameters = route.parameters.map(parameter)
        if route.isIdempotentByKey {
            parameters.append(
                parameter(
                    .init(
                        name: "Idempotency-Key", place: .header,
                        schema: ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"],
                        summary: "With the same key the request happens once, within a day.")))
        }
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = route.body {
            var media: [String: JSONValue] = ["schema": body.schema]
            if let example = body.example { media["example"] = example }
            operation["requestBody"] = [
                "required": .bool(body.isRequired), "content": .object([body.type: .object(media)]),
            ]
        }
        return .object(operation)
    }

    private static func parameter(_ parameter: Route.Parameter) -> JSONValue {
        var entry: [String: JSONValue] = [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.place == .path || parameter.isRequired), "schema": parameter.schema,
            "description": .string(parameter.summary),
        ]
        if parameter.isList {
            entry["style"] = "form"
            entry["explode"] = false
        }
        return .object(entry)
    }

    private static func responses(_ route: Route) -> [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        for reply in route.replies {
            var entry: [String: JSONValue] = ["description": .string(reply.summary)]
            if let schema = reply.schema { entry["content"] = .object([reply.type: ["schema": schema]]) }
            if !reply.headers.isEmpty {
                entry["headers"] = .object(
                    reply.headers.mapValues { ["description": .string($0), "schema": Schemas.text] })
            }
            responses["\(reply.status)"] = .object(entry)
        }
        for (status, summary) in errors(of: route) where responses["\(status)"] == nil {
            responses["\(status)"] = [
                "description": .string(summary),
                "content": ["application/problem+json": ["schema": Schemas.reference("Problem")]],
            ]
        }
        return responses
    }

    /// The problems that a route may answer with by what it takes.
    private static func errors(of route: Route) -> [(Int, String)] {
        var errors = [
            (400, "The request cannot be read, or a parameter is not acceptable."), (429, "Too many requests."),
            (500, "A fault of the server."), (503, "The database or store cannot be reached."),
        ]
        if !route.scopes.isEmpty {
            errors += [
                (401, "No valid token."), (403, "The token does not allow this."),
                (421, "Without tokens, requests for other hosts are not served."),
            ]
        }
        if route.signature != nil { errors.append((401, "No valid signature.")) }
        if route.parameters.contains(where: { $0.place == .path }) { errors.append((404, "There is no such thing.")) }
        if route.body != nil {
            errors += [
                (408, "The body took too long to arrive."), (413, "The body is too large."),
                (415, "The body is of another type."), (422, "The values are not acceptable."),
            ]
        }
        if route.method != .get { errors.append((409, "The state of things does not allow it.")) }
        if route.group == "Files" { errors.append((501, "The server has no store for this.")) }
        return errors
    }
}
