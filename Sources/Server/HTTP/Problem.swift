import Foundation
import JobQueue

/// What went wrong, as RFC 9457 has it: the body of every answer of 400 or more.
struct Problem: Error, Sendable, Hashable {
    /// Something about one place of the request.
    struct Detail: Sendable, Hashable {
        /// A JSON Pointer into the body; nil where it is not about the body.
        var pointer: String?
        /// The name of a parameter of path or query.
        var parameter: String?
        var detail: String
    }

    var status: Int
    /// For programs, in snake case; it never changes.
    var code: String
    /// For people, the same for all problems of that code.
    var title: String
    /// For people, about this one. It holds nothing secret.
    var detail: String
    /// What to do about it.
    var hint: String?
    var errors: [Detail] = []
    /// Further header fields of the answer.
    var headers: [String: String] = [:]

    init(
        _ status: Int, _ code: String, _ title: String, _ detail: String, hint: String? = nil, errors: [Detail] = [],
        headers: [String: String] = [:]
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.hint = hint
        self.errors = errors
        self.headers = headers
    }

    func json(requestID: String) -> JSONValue {
        var members: [String: JSONValue] = [
            "type": .string("urn:kiln:problem:\(code)"), "title": .string(title), "status": .integer(Int64(status)),
            "detail": .string(detail), "code": .string(code), "requestId": .string(requestID),
        ]
        if let hint { members["hint"] = .string(hint) }
        if !errors.isEmpty {
            members["errors"] = .array(
                errors.map { error in
                    var entry: [String: JSONValue] = ["detail": .string(error.detail)]
                    if let pointer = error.pointer { entry["pointer"] = .string(pointer) }
                    if let parameter = error.parameter { entry["parameter"] = .string(parameter) }
                    return .object(entry)
                })
        }
        return .object(members)
    }
}

extension Problem {
    static func badRequest(_ detail: String, hint: String? = nil) -> Problem {
        Problem(400, "bad_request", "The request cannot be read", detail, hint: hint)
    }

    static func malformed(_ failure: JSONReader.Failure) -> Problem {
        Problem(
            400, "malformed_json", "The body is not JSON",
            "line \(failure.line), column \(failure.column): \(failure.text)")
    }

    static func parameter(_ name: String, _ detail: String) -> Problem {
        Problem(
            400, "bad_parameter", "A parameter is not acceptable", "\(name): \(detail)",
            errors: [Detail(parameter: name, detail: detail)])
    }

    static func unauthorized(_ detail: String) -> Problem {
        Problem(
            401, "unauthorized", "A valid token is needed", detail,
            hint: "send Authorization: Bearer TOKEN with a token from kiln token create",
            headers: ["WWW-Authenticate": "Bearer realm=\"kiln\""])
    }

    /// - Parameter detail: repeats nothing of the signature.
    static func badSignature(_ detail: String, hint: String? = nil) -> Problem {
        Problem(
            401, "bad_signature", "A valid signature is needed", detail, hint: hint,
            headers: ["WWW-Authenticate": "Signature realm=\"kiln\""])
    }

    static func forbidden(_ detail: String, hint: String? = nil) -> Problem {
        Problem(403, "forbidden", "This is not allowed", detail, hint: hint)
    }

    static func notFound(_ detail: String, hint: String? = nil) -> Problem {
        Problem(404, "not_found", "There is no such thing", detail, hint: hint)
    }

    static func conflict(_ detail: String, hint: String? = nil) -> Problem {
        Problem(409, "conflict", "The state of things does not allow it", detail, hint: hint)
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            413, "too_large", "The body is too large", "a request's body may have \(limit) bytes",
            headers: ["Connection": "close"])
    }

    /// The values are not acceptable.
    static func invalid(_ problems: [JSONSchema.Problem], below prefix: String = "") -> Problem {
        let errors = problems.map { Detail(pointer: prefix + $0.pointer, detail: $0.detail) }
        let first = errors.first.map { error in
            let pointer = error.pointer ?? ""
            return pointer.isEmpty ? error.detail : "\(pointer): \(error.detail)"
        }
        return Problem(422, "invalid", "The values are not acceptable", first ?? "", errors: errors)
    }

    static func invalid(_ pointer: String, _ detail: String, hint: String? = nil) -> Problem {
        var problem = Problem.invalid([JSONSchema.Problem(pointer: pointer, detail: detail)])
        problem.hint = hint
        return problem
    }

    /// Something that passes.
    static func unavailable(_ detail: String, hint: String? = nil) -> Problem {
        Problem(
            503, "unavailable", "The service cannot answer now", detail, hint: hint, headers: ["Retry-After": "1"])
    }

    static let fault = Problem(
        500, "internal", "A fault of the server", "the server's log tells more, under the request's id")
}
