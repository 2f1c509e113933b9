import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

extension TestDatabase {
    /// A client of the schema's owner.
    func client(_ url: String? = nil) throws -> QueueClient { try QueueClient(url ?? self.url, logger: quiet) }

    func connection(_ url: String? = nil) async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresSettings(url ?? self.url), logger: quiet)
    }
}

/// What a worker says to the database, without a worker.
struct SpokenWorker {
    let connection: PostgresConnection
    let id: UUID

    init(_ database: TestDatabase, queues: [String]) async throws {
        connection = try await database.connection()
        id = UUID()
        _ = try await connection.query(
            """
            SELECT kiln.worker_register(p_worker => $1, p_name => 'spoken', p_host => 'here', p_pid => 1, p_version => '0',
                p_queues => $2, p_kinds => '[]', p_cores => 4, p_memory => 1, p_slots => 4,
                p_lease => interval '1 minute')
            """, [id, queues])
        self.queues = queues
    }

    private let queues: [String]

    struct Claim {
        var id: JobID
        var token: Int
        var payload: PostgresJSON
    }

    func claim() async throws -> Claim {
        let rows = try await connection.query(
            """
            SELECT id, token, payload FROM kiln.worker_claim(p_worker => $1, p_queues => $2, p_allowance => $3, p_max => 1,
                p_cores => 4, p_memory => 0, p_total_cores => 4, p_total_memory => 0)
            """, [id, queues, queues.map { _ in 10 }])
        let row = try #require(rows.first, "there is nothing to claim")
        return Claim(id: try row.decode("id"), token: try row.decode("token"), payload: try row.decode("payload"))
    }

    func complete(_ claim: Claim, result: String) async throws {
        let rows = try await connection.query(
            "SELECT accepted FROM kiln.worker_complete($1, ARRAY[$2::uuid], ARRAY[$3::bigint], ARRAY[$4::jsonb])",
            [id, claim.id, claim.token, result])
        #expect(try rows.first?.decode("accepted") == true)
    }

    func fail(_ claim: Claim, error: String, permanent: Bool) async throws {
        let rows = try await connection.query(
            "SELECT accepted FROM kiln.worker_fail($1, $2, $3, $4, '[\"a line\"]', '0', $5)",
            [id, claim.id, claim.token, error, permanent])
        #expect(try rows.first?.decode("accepted") == true)
    }
}
