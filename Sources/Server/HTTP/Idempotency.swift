import Crypto
import Foundation
import HTTPTypes
import HummingbirdCore
import JobQueue

/// Lets requests that bear an `Idempotency-Key`, or are signed messages with an id, happen once, however often they are
/// sent.
/// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
///
/// The key is written down in the transaction that enqueues: both happen, or neither. Of two requests at the same time
/// the second waits for the first, and gets its answer.
struct Idempotency: Sendable {
    private let queue: QueueClient
    private let table: String

    /// How long a key is remembered.
    static let memory = Duration.seconds(86_400)

    init(_ queue: QueueClient, schema: String) {
        self.queue = queue
        table = ServerSchema.name(besides: schema).quotedIdentifier + ".idempotency"
    }

    /// What a request has come to.
    struct Outcome<Result: Sendable>: Sendable {
        var result: Result
        /// Whether an earlier request with the same key did it.
        var isRepeated: Bool

        /// For the answer.
        var headers: [String: String] { isRepeated ? ["Idempotency-Replayed": "true"] : [:] }
    }

    /// Calls `make`, unless a request of the same caller with the same key has done so before.
    ///
    /// - Throws: ``Problem`` 422 if that one asked for something else; what `make` throws.
    func once<Result: Codable & Sendable>(
        _ request: APIRequest, _ make: @Sendable (PostgresConnection) async throws -> Result
    ) async throws -> Outcome<Result> {
        guard let (field, key) = try Self.key(of: request) else {
            return Outcome(result: try await queue.withConnection { try await make($0) }, isRepeated: false)
        }
        let fingerprint = try Self.fingerprint(of: request)
        let caller = request.caller.owner
        return try await queue.withTransaction { connection in
            // A key whose time is over is taken anew. A row that another request is about to write is waited for.
            let claimed = try await connection.query(
                """
                INSERT INTO \(table) AS i (caller, key, fingerprint, created_at) VALUES ($1, $2, $3, clock_timestamp())
                ON CONFLICT (caller, key) DO UPDATE
                SET fingerprint = excluded.fingerprint, result = NULL, created_at = excluded.created_at
                WHERE i.created_at < clock_timestamp() - $4::interval RETURNING key
                """, [caller, key, fingerprint, Self.memory])
            guard claimed.isEmpty else {
                let result = try await make(connection)
                _ = try await connection.query(
                    "UPDATE \(table) SET result = $3 WHERE caller = $1 AND key = $2",
                    [caller, key, try PostgresJSON(encoding: result)])
                return Outcome(result: result, isRepeated: false)
            }
            let rows = try await connection.query(
                "SELECT fingerprint, result FROM \(table) WHERE caller = $1 AND key = $2", [caller, key])
            guard let row = rows.first, let stored = try row.decode("result", as: PostgresJSON?.self) else {
                throw Problem.conflict("a request with this \(field) is under way", hint: "try again")
            }
            guard try row.decode("fingerprint", as: String.self) == fingerprint else {
                throw Problem(
                    422, "idempotency_key_reused", "The key was used for another request",
                    "an earlier request with this \(field) asked for something else",
                    hint: "use a new one for each new request")
            }
            return Outcome(result: try stored.decode(Result.self), isRepeated: true)
        }
    }

    /// Forgets keys whose time is over.
    func forgetOld() async throws {
        let statement = PostgresStatement(
            "DELETE FROM \(table) WHERE created_at < clock_timestamp() - $1::interval", [Self.memory])
        _ = try await queue.withConnection { try await $0.query(statement).affected }
    }

    /// The id of a signed message, or the key, which is what stands between the quotes if there are any; and the name of
    /// the field that it stands in.
    static func key(of request: APIRequest) throws(Problem) -> (field: String, key: String)? {
        if let message = request.caller.signer?.message { return (message.field, message.id) }
        guard var key = request.raw.headers[text: "Idempotency-Key"] else { return nil }
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .parameter("Idempotency-Key", "it has 1 to 255 visible characters of ASCII")
        }
        return ("Idempotency-Key", key)
    }

    /// The same for the same request, whatever its spaces and the order of its keys.
    private static func fingerprint(of request: APIRequest) throws -> String {
        var hash = SHA256()
        hash.update(data: Data("\(request.raw.method.rawValue) \(request.raw.uri.path)\n".utf8))
        hash.update(data: try request.body?.canonical() ?? Data(request.bytes))
        return APIToken.hex(Array(hash.finalize()))
    }
}
