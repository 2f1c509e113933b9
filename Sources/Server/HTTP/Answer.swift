import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue
import NIOCore

/// Makes answers.
enum Answer {
    static func json(
        _ value: some Encodable, status: Int = 200, headers: [String: String] = [:]
    ) throws -> Response {
        bytes(
            try QueueJSON.encoder().encode(value), type: "application/json", status: status, headers: headers)
    }

    static func empty(status: Int = 204, headers: [String: String] = [:]) -> Response {
        var response = Response(status: .init(code: status))
        for (name, value) in headers { response.headers[text: name] = value }
        // RFC 9110, §8.6: an answer of 204 has no length.
        if status == 204 { response.headers[.contentLength] = nil }
        return response
    }

    static func bytes(
        _ bytes: some Collection<UInt8>, type: String, status: Int = 200, headers: [String: String] = [:]
    ) -> Response {
        var response = Response(status: .init(code: status), body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        response.headers[.contentType] = type
        for (name, value) in headers { response.headers[text: name] = value }
        return response
    }

    static func problem(_ problem: Problem, requestID: String) -> Response {
        let body = (try? problem.json(requestID: requestID).canonical()) ?? Data()
        return bytes(body, type: "application/problem+json", status: problem.status, headers: problem.headers)
    }
}
