import Foundation
import Testing

@testable import JobQueue

/// A random DAG, and what must become of it.
private struct RandomGraph {
    struct Node {
        var name: String
        var parents: [(index: Int, runsAnyway: Bool)]
        var succeeds: Bool
    }

    var nodes: [Node] = []

    init(count: Int, _ random: inout SeededGenerator) {
        for index in 0..<count {
            let wanted = index == 0 ? 0 : random.int(0...min(3, index))
            let parents = Set((0..<wanted).map { _ in random.int(max(0, index - 12)...(index - 1)) })
            nodes.append(
                Node(
                    name: "n\(index)", parents: parents.sorted().map { ($0, random.chance(0.4)) },
                    succeeds: random.chance(0.9)))
        }
    }

    var json: String {
        let list = nodes.shuffled().map { node in
            let parents = node.parents.map {
                #"{"node": "n\#($0.index)", "on_failure": "\#($0.runsAnyway ? "run" : "cancel")"}"#
            }
            return #"{"node": "\#(node.name)", "kind": "k", "after": [\#(parents.joined(separator: ", "))], "payload": \#(node.succeeds)}"#
        }
        return "[\(list.joined(separator: ", "))]"
    }

    /// The model: in order, a node is cancelled if a parent that it needs has not succeeded.
    var outcomes: [String] {
        var outcomes: [String] = []
        for node in nodes {
            let isLost = node.parents.contains { !$0.runsAnyway && outcomes[$0.index] != "succeeded" }
            outcomes.append(isLost ? "cancelled" : node.succeeds ? "succeeded" : "dead")
        }
        return outcomes
    }
}

@Suite(.serialized) struct WorkflowPropertyTests {
    @Test func `random graphs end as the model says, whoever finishes first`() async throws {
        let bench = try await QueueBench()
        var random = SeededGenerator(42)
        var graphs: [(RandomGraph, UUID, [String: UUID])] = []
        for size in [1, 2, 30, 60, 90, 120] {
            let graph = RandomGraph(count: size, &random)
            let flow = try await bench.workflow(graph.json)
            graphs.append((graph, flow.id, flow.jobs))
        }
        try await withWorkers(4, bench, ["k"]) { worker, index in
            var random = SeededGenerator(UInt64(index) + 100)
            while true {
                var jobs = try await worker.claim(random.int(1...8))
                if jobs.isEmpty, try await worker.bench.value("SELECT NOT EXISTS (SELECT FROM kiln.job)") { break }
                jobs.shuffle(using: &random)
                let good = Set(try await worker.bench.values(
                    "SELECT id FROM kiln.job WHERE id = ANY ($1) AND payload = 'true'", jobs.map(\.id), as: UUID.self))
                let blocked: Int = try await worker.bench.value(
                    "SELECT count(*) FROM kiln.job_edge WHERE child = ANY ($1) AND NOT done", jobs.map(\.id))
                #expect(blocked == 0)
                #expect(try await worker.complete(jobs.filter { good.contains($0.id) }).allSatisfy { $0 })
                for job in jobs where !good.contains(job.id) {
                    #expect(try await worker.fail(job, permanent: true) == "dead")
                }
            }
        }
        for (graph, flow, jobs) in graphs {
            for (node, expected) in zip(graph.nodes, graph.outcomes) {
                let id = try #require(jobs[node.name])
                #expect(try await bench.state(id) == expected, "\(node.name) of \(graph.nodes.count)")
            }
            let counts: String = try await bench.value(
                "SELECT concat_ws(' ', total, succeeded, dead, cancelled, unfinished) FROM kiln.pipeline_runs WHERE workflow = $1", flow)
            let model = ["succeeded", "dead", "cancelled"].map { state in "\(graph.outcomes.count { $0 == state })" }
            #expect(counts == "\(graph.nodes.count) \(model.joined(separator: " ")) 0")
        }
        #expect(try await bench.value("SELECT count(*) FROM kiln.job_edge", as: Int.self) == 0)
        try await bench.expectHonestCounters()
    }
}
