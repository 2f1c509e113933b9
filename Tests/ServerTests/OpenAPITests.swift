import Foundation
import JobQueue
import ProcessTestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Server

@Suite struct OpenAPITests {
    @Test func `The document holds every route of the router, and no other`() async throws {
        try await withAPI { (api) async throws in
            let document = try await api.get("/openapi.json")
            #expect(document.status == 200 && document["openapi"] == "3.1.0")
            var described: Set<String> = []
            for (path, operations) in document["paths"]?.members ?? [:] {
                for method in operations.members?.keys.map({ $0 }) ?? [] {
                    described.insert("\(method.uppercased()) \(path)")
                }
            }
            let table = API(api.queue, ServerSettings(version: "1")).table
            #expect(described == Set(table.routes.map { "\($0.method.rawValue) \($0.path)" }))
            #expect(Set(table.routes.map(\.name)).count == table.routes.count)
            for needed in [
                "POST /v1/jobs", "POST /v1/workflows", "GET /v1/jobs", "GET /v1/jobs/{id}", "GET /v1/jobs/{id}/events",
                "POST /v1/jobs/{id}/cancel", "POST /v1/jobs/{id}/retry", "POST /v1/uploads",
                "GET /v1/jobs/{id}/download",
                "GET /v1/queues", "PUT /v1/schedules/{name}", "POST /api/video/process", "GET /api/video/job/{id}",
                "GET /openapi.json",
            ] { #expect(described.contains(needed), "\(needed)") }
        }
    }

    @Test func `Every reference leads somewhere, every parameter of a path is described, and every example is right`() {
        let queue = try? QueueClient("host=nowhere")
        guard let queue else { return }
        let settings = ServerSettings(version: "1")
        let table = API(queue, settings).table
        let document = OpenAPIDocument.make(of: table.routes, settings)
        for reference in references(in: document) {
            var place: JSONValue? = document
            for part in reference.dropFirst(2).split(separator: "/") { place = place?[String(part)] }
            #expect(place != nil, "\(reference)")
        }
        for route in table.routes {
            let named = route.segments.compactMap { segment -> String? in
                if case .parameter(let name) = segment { name } else { nil }
            }
            #expect(route.parameters.filter { $0.place == .path }.map(\.name) == named, "\(route.name)")
            if let body = route.body, let example = body.example {
                #expect(JSONSchema(body.schema, in: document).problems(in: example) == [], "\(route.name)")
            }
        }
    }

    private func references(in value: JSONValue) -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { name, value in name == "$ref" ? [value.string ?? ""] : references(in: value) }
        case .array(let elements): elements.flatMap(references)
        default: []
        }
    }

    @Test func `The page reads without scripts, and shows what it was given as text`() async throws {
        try await withAPI(settings: {
            $0.kinds = [KindDescription("x<script>", summary: "a & b", schema: ["type": "object"])]
        }) { (api) async throws in
            let page = try await api.get("/docs")
            #expect(page.status == 200 && page.headers["Content-Type"] == "text/html; charset=utf-8")
            #expect(page.text.contains("/v1/jobs/{id}/events") && !page.text.contains("<script"))
            #expect(page.text.contains("x&lt;script&gt;") && page.text.contains("a &amp; b"))
            let policy = try #require(page.headers["Content-Security-Policy"])
            #expect(policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"))
        }
    }

    @Test(.enabled(if: Schemathesis.python != nil, "scripts/setup --test gets schemathesis from PyPI"))
    func `Whatever is sent that the document allows or forbids, no answer is a fault`() async throws {
        let python = try #require(Schemathesis.python)
        let store = try TestStore()
        try await withAPI(settings: { settings in
            settings.stores = store.stores
            settings.kinds = [
                KindDescription("k", schema: ["type": "object", "properties": ["a": ["type": "integer"]]])
            ]
        }) { (api) async throws in
            let id = try await api.enqueue()
            let (status, output) = try await BlockingThread.run {
                try Schemathesis.run(python, base: api.base, job: id.text)
            }
            #expect(status == 0, "\(output.suffix(6000))")
        }
        store.server.stop()
    }
}

/// A program that makes requests out of an OpenAPI document. Looked for in `KILN_SCHEMATHESIS_PYTHON`, then in the virtual
/// environment `.build/schemathesis`, which `scripts/setup --test` makes.
enum Schemathesis {
    static let python: String? = {
        let package = URL(filePath: #filePath).appending(path: "../../..").standardized
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["KILN_SCHEMATHESIS_PYTHON"],
            package.appending(path: ".build/schemathesis/bin/python").path,
        ]
        return candidates.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    static func run(_ python: String, base: String, job: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: python)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "check-openapi.py").path
        process.arguments = [script, base, job]
        // Schemathesis leaves what it has learnt where it is run.
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        return (process.waitForOwnEnd(), String(decoding: text, as: UTF8.self))
    }
}
