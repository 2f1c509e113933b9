import Foundation
import Testing
import TransferTestSupport

/// The parser of Prometheus' own Python library, the second opinion on what a text says.
///
/// Looked for in `KILN_PROMETHEUS_PYTHON`, then in the virtual environment `.build/prometheus`, which
/// `scripts/setup --test` makes.
struct PrometheusParser {
    /// A Python that has it; `nil` if there is none.
    static let python: String? = {
        let package = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["KILN_PROMETHEUS_PYTHON"],
            package.appending(path: ".build/prometheus/bin/python").path,
        ]
        return candidates.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// For `.enabled(if:)`.
    static let absence: Comment = "no prometheus_client: scripts/setup --test gets it from PyPI"

    struct Family: Decodable {
        var name: String
        var type: String
        var help: String
        var samples: [Sample]
    }
    struct Sample: Decodable {
        var name: String
        var labels: [String: String]
        /// As Python writes it: "nan", "inf".
        var value: String
    }

    let families: [Family]

    /// - Throws: what Python says, if it cannot read the text.
    init(_ text: String) async throws {
        let python = try #require(Self.python)
        let data = try await BlockingThread.run { try Self.run(python, on: text) }
        families = try JSONDecoder().decode([Family].self, from: data)
    }

    private static func run(_ python: String, on text: String) throws -> Data {
        let file = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID()).txt")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-c", script, file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return data
    }

    /// The value of a sample; `nil` if there is none, or more than one.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = families.flatMap(\.samples).filter { $0.name == name && $0.labels == labels }
        return found.count == 1 ? found.first.flatMap { Double($0.value) } : nil
    }

    private static let script = """
        import json, sys
        from prometheus_client.parser import text_string_to_metric_families
        with open(sys.argv[1], encoding="utf-8", newline="") as file:
            text = file.read()
        print(json.dumps([
            {"name": family.name, "type": family.type, "help": family.documentation, "samples": [
                {"name": sample.name, "labels": sample.labels, "value": repr(float(sample.value))}
                for sample in family.samples]}
            for family in text_string_to_metric_families(text)]))
        """
}
