import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

/// What a listener on the schema's channel is told, and on another.
struct NotificationInbox: Sendable {
    private let bench: QueueBench
    private let connection: PostgresConnection
    private let stream: AsyncStream<String>

    init(_ bench: QueueBench, also channel: String? = nil) async throws {
        self.bench = bench
        let (stream, continuation) = AsyncStream<String>.makeStream()
        self.stream = stream
        connection = try await PostgresConnection.connect(
            PostgresSettings(bench.database.url), logger: quiet,
            events: PostgresConnectionEvents(onNotification: { continuation.yield($0.payload) }))
        for name in [bench.schema, channel].compactMap({ $0 }) {
            try await connection.script("LISTEN \(name.quotedIdentifier)")
        }
    }

    /// What was sent since the last call: notifications come in the order of commits, so all before a mark have come
    /// with it.
    func news() async throws -> [String] {
        let mark = UUID().uuidString
        try await bench.run("SELECT pg_notify($1, $2)", bench.schema, mark)
        var found: [String] = []
        for await note in stream {
            if note == mark { break }
            found.append(note)
        }
        return found
    }
}
