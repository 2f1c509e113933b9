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
    /// - Throws: ``CommandFailure``.
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

    /// Asks the queue one thing and prints the answer: as JSON, or as `text` for people.
    ///
    /// - Throws: as `run`.
    func answer<Answer: Encodable>(
        _ ask: (QueueClient) async throws -> Answer, text: (Answer) -> String
    ) async throws {
        try await run { queue in
            let answer = try await ask(queue)
            try print(answer, text(answer))
        }
    }

    /// Does something to many jobs and prints how many it was: `{"retried": 3}`, "3 retried".
    ///
    /// - Parameter verb: what became of them, for the JSON, and for people unless `words` says it better.
    func count(
        _ verb: String, _ words: String? = nil, _ change: (QueueClient) async throws -> Int
    ) async throws {
        try await run { queue in
            let count = try await change(queue)
            try print([verb: count], "\(count) \(words ?? verb)")
        }
    }

    /// Carries out what needs no connection, or one of its own.
    ///
    /// - Throws: ``CommandFailure``.
    func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            throw CommandFailure.wrapping(error, json: json ? .output : nil)
        }
    }

    /// Prints a result: as JSON, or as text for people.
    func print(_ value: some Encodable, _ text: @autoclosure () -> String) throws {
        try Console.output.print(json ? JSONText.pretty(value) : text())
    }
}
