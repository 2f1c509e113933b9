public import Foundation
public import JobQueue

/// The tokens of the HTTP API, in the database.
///
/// ```swift
/// let tokens = TokenStore(queue)
/// let token = try await tokens.create(name: "shop", scopes: [.produce])
/// print(token.text)  // now or never: the database has its hash alone
/// ```
/// Thread-safe. Every call throws ``QueueError``, `schema` where `kiln migrate` has yet to be run.
public struct TokenStore: Sendable {
    /// A token that has just been made.
    public struct NewToken: Sendable {
        /// What its bearer sends. Nobody can find it out later.
        public let text: String
        /// What is known of it from now on.
        public let info: TokenInfo
    }

    /// A token without its secret.
    public struct TokenInfo: Sendable, Hashable, Codable, Identifiable {
        /// In the token and in logs; not secret.
        public var id: String
        /// Who or what it is for.
        public var name: String
        /// What its bearer may do.
        public var scopes: [TokenScope]
        /// When it was made.
        public var createdAt: Date
        /// The database role that made it.
        public var createdBy: String
        /// When it ends by itself; nil: never.
        public var expiresAt: Date?
        /// When somebody revoked it.
        public var revokedAt: Date?
        /// When it was used last, to the minute.
        public var lastUsedAt: Date?

        /// Whether it is good at a moment.
        public func isLive(at moment: Date) -> Bool { revokedAt == nil && expiresAt.map { moment < $0 } != false }
    }

    private let queue: QueueClient
    private let table: String

    /// - Parameters:
    ///   - queue: over whose connections it goes.
    ///   - schema: the queue's own; the tokens lie beside it.
    public init(_ queue: QueueClient, schema: String = "kiln") {
        self.queue = queue
        table = ServerSchema.name(besides: schema).quotedIdentifier + ".token"
    }

    /// Makes a token.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 characters.
    ///   - scopes: at least one.
    ///   - expires: when it ends by itself; nil (default): never.
    /// - Throws: `badRequest`; `permission` unless the role owns the schema.
    public func create(name: String, scopes: Set<TokenScope>, expires: Date? = nil) async throws -> NewToken {
        guard (1...200).contains(name.count), !name.utf8.contains(0) else {
            throw QueueError(.badRequest, "a token's name has 1 to 200 characters")
        }
        guard !scopes.isEmpty else {
            throw QueueError(.badRequest, "a token has at least one scope", hint: "produce, read or admin")
        }
        let token = APIToken()
        let statement = PostgresStatement(
            """
            INSERT INTO \(table) (id, name, hash, scopes, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING \(Self.columns)
            """, [token.id, name, token.hash, scopes.map(\.rawValue).sorted(), expires])
        let found = try await queue.withConnection { try await $0.query(statement).map(Self.info) }
        guard let info = found.first else { throw QueueError(.badRow, "the answer has no row") }
        return NewToken(text: token.text, info: info)
    }

    /// All tokens, newest first; also those that have ended.
    public func list() async throws -> [TokenInfo] {
        let statement = PostgresStatement("SELECT \(Self.columns) FROM \(table) ORDER BY created_at DESC, id")
        return try await queue.withConnection { try await $0.query(statement).map(Self.info) }
    }

    /// Ends a token. Servers know of it within five seconds.
    ///
    /// - Returns: whether there was one of that id that had not been revoked before.
    @discardableResult
    public func revoke(_ id: String) async throws -> Bool {
        let statement = PostgresStatement(
            "UPDATE \(table) SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL", [id])
        return try await queue.withConnection { try await $0.query(statement).affected } > 0
    }

    /// Removes a token that has ended or was revoked, as if it had never been. With the last one gone, a server that
    /// only its own machine can reach asks for none again.
    ///
    /// - Returns: whether there was one of that id that was no good any more.
    @discardableResult
    public func delete(_ id: String) async throws -> Bool {
        let statement = PostgresStatement(
            "DELETE FROM \(table) WHERE id = $1 AND (revoked_at IS NOT NULL OR expires_at <= clock_timestamp())", [id])
        return try await queue.withConnection { try await $0.query(statement).affected } > 0
    }

    // MARK: For the server

    /// What is known of a token, and its secret's hash.
    func find(_ id: String) async throws -> (info: TokenInfo, hash: String)? {
        let statement = PostgresStatement(
            "SELECT \(Self.columns), hash FROM \(table) WHERE id = $1", [id], name: "kiln_api_token")
        let found = try await queue.withConnection { connection in
            try await connection.query(statement).map { Found(info: try Self.info($0), hash: try $0.decode("hash")) }
        }
        return found.first.map { ($0.info, $0.hash) }
    }

    private struct Found: Sendable {
        var info: TokenInfo
        var hash: String
    }

    /// Whether there is a token, good or not: where one was made, somebody wants to be asked for it.
    func hasAny() async throws -> Bool {
        let statement = PostgresStatement("SELECT EXISTS (SELECT FROM \(table))")
        return try await queue.withConnection { try await $0.query(statement).first?.decode(0, as: Bool.self) } ?? false
    }

    /// Notes that a token is being used, if that was not noted within the last minute.
    func noteUse(of id: String) async throws {
        let statement = PostgresStatement(
            """
            UPDATE \(table) SET last_used_at = clock_timestamp()
            WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
            """, [id])
        _ = try await queue.withConnection { try await $0.query(statement).affected }
    }

    private static let columns =
        "id, name, scopes, created_at, created_by::text AS created_by, expires_at, revoked_at, last_used_at"

    @Sendable private static func info(_ row: PostgresRow) throws -> TokenInfo {
        let scopes: [String] = try row.decode("scopes")
        return TokenInfo(
            id: try row.decode("id"), name: try row.decode("name"),
            // One that a newer server knows allows nothing here.
            scopes: scopes.compactMap { TokenScope(rawValue: $0) }, createdAt: try row.decode("created_at"),
            createdBy: try row.decode("created_by"), expiresAt: try row.decode("expires_at"),
            revokedAt: try row.decode("revoked_at"), lastUsedAt: try row.decode("last_used_at"))
    }
}
