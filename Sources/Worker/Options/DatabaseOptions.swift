import ArgumentParser
import Glibc
import JobQueue
import Logging

/// Where the queue is, and how its answers are printed.
struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "postgresql://user@host/database, or host=… dbname=… (default: the variable DATABASE_URL).",
            discussion:
                "A password is better kept in DATABASE_URL, PGPASSWORD or ~/.pgpass: others see a command line.",
            valueName: "url"))
    var database: String?
    @Option(help: "The schema that the queue lives in.")
    var schema = "kiln"
    @Flag(help: #"Print JSON; of a failure, {"error": {…}}."#)
    var json = false

    /// - Throws: `badConnectionString` if there is none.
    func connectionString() throws(QueueError) -> String {
        if let database { return database }
        if let variable = getenv("DATABASE_URL").map({ String(cString: $0) }), !variable.isEmpty { return variable }
        throw QueueError(
            .badConnectionString, "no database is named",
            hint: "use --database postgresql://user@host/database, or set DATABASE_URL")
    }

    /// Nothing but what is thrown is for the user.
    var logger: Logger { Logger(label: "kiln") { _ in SwiftLogNoOpLogHandler() } }

    /// Carries a command out.
    ///
    /// - Throws: ``QueueFailure``, `MediaError`.
    func run(_ body: (QueueClient) async throws -> Void) async throws {
        try await reporting {
            // A person does not wait for a server to come back.
            let client = try QueueClient(
                try connectionString(), schema: schema, options: .init(connections: 2, acquireTimeout: .zero),
                logger: logger)
            do {
                try await body(client)
            } catch {
                await client.close()
                throw error
            }
            await client.close()
        }
    }

    func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            throw QueueFailure.wrapping(error, printsJSON: json)
        }
    }

    /// Prints a result: as JSON, or as text for people.
    func print(_ value: some Encodable, _ text: @autoclosure () -> String) throws {
        try Console.output.print(json ? QueueText.json(value) : text())
    }
}
