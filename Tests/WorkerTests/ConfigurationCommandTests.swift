import Foundation
import TestSupport
import Testing

@testable import Worker

/// The commands, as processes of their own.
@Suite struct ConfigurationCommandTests {
    private func config(_ arguments: String..., environment: [String: String] = [:]) async throws -> KilnProcess.Outcome
    {
        let own = ["DATABASE_URL": "postgresql://app:s3cr3t@db/app", "REDIS_URL": "", "KILN_CONFIG": ""]
        return try await KilnProcess.run(["config"] + arguments, environment: own.merging(environment) { $1 })
    }

    @Test func `The effective values are told with where they come from`() async throws {
        let folder = try Scratch()
        let file = try folder.put("kiln.yaml", Array("worker:\n  concurrency: 3\n".utf8))
        let outcome = try await config("--config", file, environment: ["LOG_LEVEL": "debug"])
        #expect(outcome.status == 0, "\(outcome.error)")
        let lines = outcome.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.first == ["SETTING", "VALUE", "FROM"])
        #expect(lines.contains(["worker.concurrency", "3", "\(file):2"]))
        #expect(lines.contains(["log.level", "debug", "LOG_LEVEL"]))
        #expect(lines.contains(["http.port", "8000", "default"]))
        #expect(!outcome.text.contains("s3cr3t"))
        #expect(lines.count == SettingsTable.all.count + 1)
    }

    @Test func `As JSON, too, with the file that the environment names`() async throws {
        let folder = try Scratch()
        let file = try folder.put("kiln.yaml", Array("worker:\n  concurrency: 3\n".utf8))
        let outcome = try await config("--json", environment: ["KILN_CONFIG": file, "KILN_STOER": "x"])
        #expect(outcome.status == 0, "\(outcome.error)")
        let report = try outcome.decoded(ConfigCommand.Report.self)
        let concurrency = try #require(report.settings.first { $0.key == "worker.concurrency" })
        #expect(concurrency.value == "3" && concurrency.source == "file" && concurrency.line == 2)
        #expect(concurrency.file == file && concurrency.names == ["WORKER_CONCURRENCY"])
        let url = try #require(report.settings.first { $0.key == "database.url" })
        #expect(url.isSecret && url.source == "environment" && url.variable == "DATABASE_URL")
        #expect(!outcome.text.contains("s3cr3t"))
        #expect(report.warnings.first?.contains("KILN_STORE") == true && report.problems.isEmpty)
    }

    @Test func `What is wrong is told at once, and the rest shown all the same`() async throws {
        let outcome = try await config(
            environment: ["DATABASE_URL": "", "WORKER_CONCURRENCY": "many", "REDIS_URL": "redis://cache"])
        #expect(outcome.status == ExitStatus.configuration.rawValue)
        #expect(outcome.error.hasPrefix("kiln: the settings have 2 problems:\n"), "\(outcome.error)")
        #expect(outcome.error.contains("WORKER_CONCURRENCY is \"many\"") && outcome.error.contains("REDIS_URL"))
        #expect(outcome.text.contains("http.port"))
    }

    @Test func `The document lists the settings as the program has them`() throws {
        let path = URL(filePath: #filePath).appending(path: "../../../docs/configuration.md").standardized
        let document = try String(contentsOf: path, encoding: .utf8)
        let begin = try #require(document.range(of: SettingsMarkdown.begin))
        let end = try #require(document.range(of: SettingsMarkdown.end))
        let tables = document[begin.upperBound..<end.lowerBound].trimmingCharacters(in: .newlines)
        #expect(tables == SettingsMarkdown.text, "put what kiln config --markdown prints between the two comments")
    }

    @Test func `The tables are printed without any setting`() async throws {
        let outcome = try await config("--markdown", environment: ["DATABASE_URL": "", "WORKER_CONCURRENCY": "many"])
        #expect(outcome.status == 0 && outcome.text == SettingsMarkdown.text + "\n", "\(outcome.error)")
        for setting in SettingsTable.all { #expect(outcome.text.contains("| `\(setting.key)` |")) }
    }
}
