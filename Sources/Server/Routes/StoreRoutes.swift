import Crypto
import Foundation
import HummingbirdCore
import JobQueue
import Transfer

/// Files: put into the store before a job, and got from it after.
extension API {
    var storeRoutes: [Route] {
        [
            Route(
                method: .post, path: "/v1/uploads", name: "createUpload",
                summary: "Get a URL that a file can be sent to, straight into the store.",
                details: """
                    Send the file with the method, URL and headers of the answer, exactly: the URL is good for this \
                    size and type only. A job then names it by `location`.
                    """, group: "Files", scopes: [.produce],
                body: .init(
                    schema: Schemas.object(
                        [
                            "fileName": ["type": "string", "minLength": 1, "maxLength": 255],
                            "contentType": ["type": "string", "minLength": 3, "maxLength": 100],
                            "contentLength": [
                                "type": "integer", "minimum": 1, "maximum": .integer(settings.uploads.largest),
                            ],
                        ], required: ["fileName", "contentType", "contentLength"]),
                    example: ["fileName": "talk.mp4", "contentType": "video/mp4", "contentLength": 1_048_576]),
                isIdempotentByKey: true,
                replies: [
                    .init(
                        status: 201, summary: "Where to send the file.",
                        schema: Schemas.answer(
                            [
                                "key": Schemas.text, "location": Schemas.text, "method": Schemas.text,
                                "url": Schemas.text,
                                "headers": ["type": "object", "additionalProperties": Schemas.text],
                                "expiresAt": Schemas.time,
                            ], required: ["key", "location", "method", "url", "headers", "expiresAt"]))
                ]
            ) { request in
                try await createUpload(request)
            },
            Route(
                method: .get, path: "/v1/jobs/{id}/download", name: "downloadResult",
                summary: "Go to the file that a job has made.",
                details: "A redirect to a URL of the store, which is good for some minutes and needs no token.",
                group: "Files", scopes: [.read, .produce],
                parameters: [
                    Self.jobID,
                    .init(
                        name: "output", place: .query, schema: ["type": "integer", "minimum": 0, "maximum": 10_000],
                        summary: "Which of several files; default 0, the first."),
                ],
                replies: [
                    .init(status: 302, summary: "To the file.", headers: ["Location": "A presigned URL."]),
                    .init(
                        status: 409, summary: "The job has not succeeded, or has made no file, as is so of its kind.",
                        schema: Schemas.reference("Problem"), type: "application/problem+json"),
                ]
            ) { request in
                let job = try await job(of: request)
                guard settings.makesFiles(job.kind) else {
                    throw Problem.conflict(
                        "jobs of the kind \(job.kind.debugDescription) make no files that the server knows of")
                }
                guard job.state == .succeeded, let result = try job.result?.decode(JSONValue.self) else {
                    throw Problem.conflict("job \(job.id.text) has not succeeded: it is \(job.state)")
                }
                let index = request.parameter("output")?.integer.map { Int($0) } ?? 0
                guard let url = try await presigned(result, index: index) else {
                    throw Problem.conflict("job \(job.id.text) has made no such file in the store")
                }
                return Answer.empty(status: 302, headers: ["Location": url])
            },
        ]
    }

    /// A URL of the file that a result names; nil if it names none in a store.
    ///
    /// - Parameter result: of a job of a kind that makes files, alone: others may name whatever they like, and a URL that
    ///   is signed here opens it.
    func presigned(_ result: JSONValue, index: Int = 0) async throws -> String? {
        guard let stores = settings.stores, let location = ResultLocation.find(in: result, index: index),
            let (store, key) = try stores.store(for: location)
        else { return nil }
        let name = key.split(separator: "/").last.map(String.init)
        return try await store.presign(.get(fileName: name), key, expiresIn: settings.downloadLifetime).url
    }

    private func createUpload(_ request: APIRequest) async throws -> Response {
        guard let stores = settings.stores else { throw Self.noStore }
        let type = request["contentType"]?.string ?? ""
        guard allowsUpload(of: type) else {
            throw Problem.invalid(
                "/contentType", "files of this type are not taken",
                hint: "allowed are \(settings.uploads.types.joined(separator: ", "))")
        }
        let length = request["contentLength"]?.integer ?? 0
        let name = Self.fileName(request["fileName"]?.string ?? "")
        // The key alone is remembered for a request that is repeated; its URL is signed anew.
        let outcome = try await idempotency.once(request) { _ in
            "\(settings.uploads.prefix)\(UUID().uuidString.lowercased())/\(name)"
        }
        guard let (store, key) = try stores.store(for: .store(key: outcome.result)) else { throw Self.noStore }
        let signed = try await store.presign(
            .put(contentType: type, contentLength: length), key, expiresIn: settings.uploads.lifetime)
        let answer = Upload(
            key: key, location: ObjectLocation.store(key: key).description, method: "PUT", url: signed.url,
            headers: Dictionary(signed.headers.fields.map { ($0.name, $0.value) }) { $1 },
            expiresAt: Date(timeIntervalSince1970: signed.expires))
        return try Answer.json(answer, status: 201, headers: outcome.headers)
    }

    private static let noStore = Problem(
        501, "no_store", "There is no store for this", "the server has no store of its own",
        hint: "configure a bucket or a folder")

    private func allowsUpload(of type: String) -> Bool {
        guard let essence = MediaType(type)?.essence else { return false }
        return settings.uploads.types.contains { allowed in
            let allowed = allowed.lowercased()
            // A picture that may hold scripts is taken where it is named itself.
            guard allowed.hasSuffix("/*"), essence != "image/svg+xml" else { return essence == allowed }
            return essence.hasPrefix(allowed.dropLast())
        }
    }

    /// Letters that mean nothing to any shell, URL or file system.
    static func fileName(_ name: String) -> String {
        let last = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? "file"
        let letters = last.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains(scalar))
                ? Character(scalar) : "-"
        }
        let plain = String(letters).drop { $0 == "." }
        return plain.isEmpty ? "file" : String(plain.suffix(100))
    }

    private struct Upload: Codable, Sendable {
        var key: String
        var location: String
        var method: String
        var url: String
        var headers: [String: String]
        var expiresAt: Date
    }
}
