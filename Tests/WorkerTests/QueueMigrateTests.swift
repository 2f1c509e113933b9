import Foundation
import JobQueue
import PostgresTestSupport
import TestSupport
import Testing

@testable import Worker

@Suite struct QueueMigrateTests {
    @Test func `A database is set up, and nothing is done twice`() async throws {
        let database = try await PostgresCluster.shared.makeDatabase()
        func migrate(_ arguments: String...) async throws -> KilnProcess.Outcome {
            try await KilnProcess.run(["migrate"] + arguments, environment: ["DATABASE_URL": database.url])
        }
        let plan = try await migrate("--dry-run")
        #expect(plan.status == 0 && plan.text.hasPrefix("would apply migration 1 (tables)\n"), "\(plan.error)")
        let before = try JSONDecoder().decode(
            MigrateCommand.Report.self, from: Data(try await migrate("--status", "--json").output))
        #expect(before.present?.isEmpty == true && before.pending?.first?.name == "tables")
        let done = try await migrate()
        #expect(done.status == 0 && done.text.split(separator: "\n").count == before.pending?.count, "\(done.error)")
        #expect(try await migrate().text == "the schema kiln is up to date\n")
        #expect(try await migrate("--dry-run").text == "nothing to apply\n")
        let status = try await migrate("--status")
        #expect(status.text.contains("applied") && !status.text.contains("missing"))
        #expect(status.text.split(separator: "\n").count == (before.pending?.count ?? 0) + 1)
    }

    @Test func `The SQL that is printed does the same by psql`() async throws {
        let database = try await PostgresCluster.shared.makeDatabase()
        let schema = "Jobs \"here\""
        let sql = try await KilnProcess.run(["migrate", "--sql", "--schema", schema, "--role-prefix", "made"])
        #expect(sql.status == 0 && sql.text.contains("made_"), "\(sql.error)")
        #expect(try await !KilnProcess.run(["migrate", "--sql", "--no-roles"]).text.contains("CREATE ROLE"))
        _ = try await database.psql(sql.text)
        let arguments = ["--schema", schema, "--database", database.url]
        let status = try await KilnProcess.run(["migrate", "--no-roles"] + arguments)
        #expect(status.status == 0 && status.text.hasSuffix("is up to date\n"), "\(status.error)")
        let job = try await KilnProcess.run(["enqueue", "k"] + arguments)
        #expect(job.status == 0, "\(job.error)")
        let prefix = try await KilnProcess.run(["migrate", "--role-prefix", "Bad Prefix"] + arguments)
        #expect(prefix.status == 65 && prefix.error.contains("Bad Prefix"))
    }

    @Test func `An owner without the right to make roles is told how to go without`() async throws {
        let database = try await PostgresCluster.shared.makeDatabase()
        let owner = try await database.makeLogin(in: nil)
        _ = try await database.psql("CREATE SCHEMA kiln AUTHORIZATION \(owner.name)")
        let outcome = try await KilnProcess.run(
            ["migrate", "--role-prefix", "nobody_made_these"], environment: ["DATABASE_URL": owner.url])
        #expect(outcome.status == 77 && outcome.error.contains("--no-roles"), "\(outcome.error)")
        let again = try await KilnProcess.run(["migrate", "--no-roles"], environment: ["DATABASE_URL": owner.url])
        #expect(again.status == 0, "\(again.error)")
    }
}
