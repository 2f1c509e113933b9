import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue
import NIOCore
import Transfer

/// What presigned URLs lead to where the default store is a folder: this server itself.
///
/// Who has such a URL needs no token, as with any store. What it allows, and until when, is signed.
extension API {
    /// The path that the URLs of a folder begin with, for its ``LocalSigner``.
    static let folderPath = "/v1/store"

    var folderRoutes: [Route] {
        guard let folder = settings.stores?.defaultFolder else { return [] }
        // Named, as a request's parameters are to be known ones.
        let parameters = ["expires", "filename", "type", "length", "signature"].map {
            Route.Parameter(name: $0, place: .query, schema: Schemas.text, summary: "Part of the signed URL.")
        }
        func route(_ method: HTTPRequestMethod, _ name: String, _ handle: @escaping Route.Handler) -> Route {
            Route(
                method: method, path: Self.folderPath + "/{+key}", name: name, summary: "A presigned URL.",
                group: "Files", scopes: [], parameters: parameters, readsBody: method == .put, replies: [],
                isDocumented: false, handle: handle)
        }
        return [
            route(.put, "putFile") { try await receive($0, into: folder) },
            route(.get, "getFile") { try await send($0, from: folder) },
        ]
    }

    // MARK: In

    private func receive(_ request: APIRequest, into folder: LocalStore) async throws -> Response {
        do {
            let permit = try Self.permit(request, .put, folder)
            guard case .put(_, let length) = permit.access else { throw Problem.fault }
            let largest = settings.uploads.largest
            let announced = request.raw.headers[text: "Content-Length"].flatMap { Int64($0) }
            if let announced, announced > largest { throw Problem.tooLarge(Int(largest)) }
            let info = try await folder.receive(
                permit.key, request.raw.body.map { Array(buffer: $0) }, limit: largest, size: length ?? announced)
            return Answer.empty(status: 200, headers: Self.fields(of: info))
        } catch {
            var problem = Self.problem(of: error)
            // What of the body has not been read is not waited for.
            problem.headers["Connection"] = "close"
            throw problem
        }
    }

    // MARK: Out

    private func send(_ request: APIRequest, from folder: LocalStore) async throws -> Response {
        do {
            let permit = try Self.permit(request, .get, folder)
            let info = try await folder.head(permit.key)
            var headers = Self.fields(of: info)
            headers["Accept-Ranges"] = "bytes"
            headers["Cache-Control"] = "private, max-age=0, must-revalidate"
            if let etag = info.etag?.rawValue, request.raw.headers[text: "If-None-Match"] == etag {
                return Answer.empty(status: 304, headers: headers)
            }
            headers["Content-Type"] = info.contentType ?? "application/octet-stream"
            // Whoever uploaded it decides what is in it: on this origin it must not run.
            headers["Content-Security-Policy"] = "sandbox; default-src 'none'; media-src 'self'; img-src 'self'"
            if case .get(let name?) = permit.access {
                headers["Content-Disposition"] = "attachment; filename=\"\(Self.fileName(name))\""
            }
            var range = ByteRange(request.raw.headers[text: "Range"], size: info.size)
            // Of what has changed since, all is wanted.
            if let condition = request.raw.headers[text: "If-Range"], condition != info.etag?.rawValue {
                range = .whole
            }
            switch range {
            case .whole: return Self.content(of: folder, info, 0..<info.size, status: 200, headers)
            case .part(let part):
                headers["Content-Range"] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(info.size)"
                return Self.content(of: folder, info, part, status: 206, headers)
            case .unsatisfiable:
                throw Problem(
                    416, "bad_range", "The range is not satisfiable", "the file has \(info.size) bytes",
                    headers: ["Content-Range": "bytes */\(info.size)"])
            }
        } catch {
            throw Self.problem(of: error)
        }
    }

    /// An answer that is read while it is sent. A file that is replaced meanwhile breaks it off.
    private static func content(
        of folder: LocalStore, _ info: ObjectInfo, _ range: Range<Int64>, status: Int, _ headers: [String: String]
    ) -> Response {
        let body = ResponseBody(contentLength: range.count) { writer in
            var position = range.lowerBound
            while position < range.upperBound {
                let piece = position..<min(position + 1 << 20, range.upperBound)
                let bytes = try await folder.read(info.key, range: piece, ifMatch: info.etag) { content in
                    var bytes: [UInt8] = []
                    for try await chunk in content.bytes { bytes += chunk }
                    return bytes
                }
                try await writer.write(ByteBuffer(bytes: bytes))
                position = piece.upperBound
            }
            try await writer.finish(nil)
        }
        var response = Response(status: .init(code: status), body: body)
        for (name, value) in headers { response.headers[text: name] = value }
        return response
    }

    // MARK: Both

    private static func permit(
        _ request: APIRequest, _ method: HTTPMethod, _ folder: LocalStore
    ) throws -> LocalSigner.Permit {
        var headers: HTTPHeaders = [:]
        for name in ["Content-Type", "Content-Length"] { headers[name] = request.raw.headers[text: name] }
        // The host is no part of what was signed.
        let url = try HTTPURL(
            scheme: .http, host: "localhost", path: request.raw.uri.path, query: request.raw.uri.query)
        return try folder.verify(method, url, headers: headers, now: Date().timeIntervalSince1970)
    }

    private static func fields(of info: ObjectInfo) -> [String: String] {
        info.etag.map { ["ETag": $0.rawValue] } ?? [:]
    }

    /// What a client has done wrong, which elsewhere would be the server's own trouble with its store.
    private static func problem(of error: any Error) -> Problem {
        guard let error = error as? TransferError else { return Problem(error) }
        switch error.code {
        case .accessDenied: return .forbidden(error.message, hint: error.hint)
        case .tooLarge: return Problem(413, "too_large", "The body is too large", error.message)
        case .badRequest, .badURL: return .badRequest(error.message, hint: error.hint)
        case .changed: return .conflict(error.message)
        default: return Problem(error)
        }
    }
}
