import Locking
import Providers
package import Transfer
import TransferTestSupport

/// What a stand-in does instead of answering.
package enum ServiceFault: Sendable {
    /// An answer of an error.
    case status(Int, headers: HTTPHeaders = [:], body: String = "")
    /// Takes the request, and is silent until the client has gone.
    case stall
    /// Half of the answer's body, and then the connection ends.
    case cutBody
    /// Half of the answer's JSON, as if it were all.
    case truncatedJSON

    /// The error of a service as OpenAI and its likes write it.
    package static func openAI(
        _ status: Int, _ message: String, type: String = "invalid_request_error", code: String? = nil,
        parameter: String? = nil, headers: HTTPHeaders = [:]
    ) -> ServiceFault {
        func optional(_ text: String?) -> JSONTree { text.map { .string($0) } ?? .null }
        let body: JSONTree = [
            "error": [
                "message": .string(message), "type": .string(type), "param": optional(parameter),
                "code": optional(code),
            ]
        ]
        return .status(status, headers: headers, body: body.text)
    }

    /// The error of a service as Anthropic writes it.
    package static func anthropic(
        _ status: Int, _ type: String, _ message: String, headers: HTTPHeaders = [:]
    ) -> ServiceFault {
        let body: JSONTree = ["type": "error", "error": ["type": .string(type), "message": .string(message)]]
        return .status(status, headers: headers, body: body.text)
    }
}

/// Faults in the order in which they are to happen, one for each request; then none.
///
/// Thread-safe.
package final class ServiceFaults: Sendable {
    private let waiting = Locked<[ServiceFault?]>([])

    package init(_ faults: [ServiceFault?] = []) { waiting.withLock { $0 = faults } }

    /// `nil` lets a request through.
    package func add(_ faults: ServiceFault?...) { waiting.withLock { $0 += faults } }

    package func next() -> ServiceFault? {
        waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}

extension RawConnection {
    /// Answers with JSON, or as the fault says.
    func answer(_ status: Int, _ json: String, headers: HTTPHeaders = [:], fault: ServiceFault?) throws {
        var headers = headers
        headers["Content-Type"] = "application/json"
        let body = Array(json.utf8)
        switch fault {
        case nil: try respond(status, headers: headers, body: body)
        case .status(let status, let extra, let text):
            for field in extra.fields { headers[field.name] = field.value }
            try respond(status, headers: headers, body: Array(text.utf8))
        case .stall: waitForClose()
        case .cutBody:
            headers["Content-Length"] = "\(body.count)"
            try respond(status, headers: headers, body: Array(body.prefix(body.count / 2)))
            close()
        case .truncatedJSON: try respond(status, headers: headers, body: Array(body.prefix(body.count / 2)))
        }
    }
}

/// A request that a stand-in does not take, with what it says of it.
struct ServiceObjection: Error {
    var status: Int
    var message: String
    var parameter: String?
    var type = "invalid_request_error"
    var code: String?
}
