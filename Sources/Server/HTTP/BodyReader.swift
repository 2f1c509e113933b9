import Hummingbird
import HummingbirdCore
import JobQueue
import NIOCore

/// Reads what a request carries.
enum BodyReader {
    static let json = "application/json"

    /// - Parameters:
    ///   - type: the media type that it must have; nil: that is looked at later.
    ///   - limit: bytes.
    ///   - patience: how long all of it may take to arrive.
    /// - Returns: it as it came; empty if there is none.
    /// - Throws: ``Problem`` 408, 413 or 415.
    static func read(_ request: Request, as type: String?, limit: Int, patience: Duration) async throws -> [UInt8] {
        if let length = request.headers[text: "Content-Length"].flatMap({ Int($0) }), length > limit {
            throw Problem.tooLarge(limit)
        }
        let hasBody =
            request.headers[text: "Transfer-Encoding"] != nil
            || request.headers[text: "Content-Length"].map { $0 != "0" } == true
        guard hasBody else { return [] }
        if let type { try check(request, as: type) }
        return try await collect(request, limit: limit, patience: patience)
    }

    /// - Throws: ``Problem`` 415 for a body of another type, or one that is compressed.
    static func check(_ request: Request, as expected: String) throws(Problem) {
        guard let type = request.headers[text: "Content-Type"],
            expected == json ? isJSON(type) : essence(of: type) == expected
        else {
            throw Problem(
                415, "unsupported_media_type", "The body is of another type",
                "a request's body is \(expected == json ? "JSON" : expected)", hint: "send Content-Type: \(expected)",
                headers: ["Accept": expected, "Connection": "close"])
        }
        if let encoding = request.headers[text: "Content-Encoding"], encoding.lowercased() != "identity" {
            throw Problem(
                415, "unsupported_media_type", "The body is of another type", "a request's body is not compressed",
                headers: ["Accept-Encoding": "identity", "Connection": "close"])
        }
    }

    /// - Throws: ``Problem`` 400 for what is not JSON.
    static func value(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        do {
            return try JSONReader.read(bytes)
        } catch {
            throw Problem.malformed(error)
        }
    }

    static func isJSON(_ type: String) -> Bool {
        let essence = essence(of: type)
        return essence == json || essence.hasPrefix("application/") && essence.hasSuffix("+json")
    }

    /// A media type without its parameters.
    private static func essence(of type: String) -> String { type.prefix { $0 != ";" }.lowercased().trimmingSpaces }

    private static func collect(_ request: Request, limit: Int, patience: Duration) async throws -> [UInt8] {
        let body = request.body
        return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                do {
                    return Array(buffer: try await body.collect(upTo: limit))
                } catch is NIOTooManyBytesError {
                    throw Problem.tooLarge(limit)
                }
            }
            group.addTask {
                try await Task.sleep(for: patience)
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            guard let first else {
                throw Problem(
                    408, "too_slow", "The request took too long to arrive",
                    "a request's body may take \(patience.components.seconds) s", headers: ["Connection": "close"])
            }
            return first
        }
    }
}

extension StringProtocol {
    /// Without spaces and tabs around it.
    var trimmingSpaces: String {
        var rest = Substring(self)
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
