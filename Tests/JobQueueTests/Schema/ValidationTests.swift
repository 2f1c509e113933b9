import Foundation
import Testing

@testable import JobQueue

/// SQL that must be refused, and with what.
private struct Refusal: Sendable, CustomTestStringConvertible {
    var sql: String
    var state: String
    var message: String
    var hint: String

    init(_ sql: String, _ message: String, hint: String = "") {
        self.init(sql, "22023", message, hint: hint)
    }

    init(_ sql: String, _ state: String, _ message: String, hint: String = "") {
        self.sql = sql
        self.state = state
        self.message = message
        self.hint = hint
    }

    var testDescription: String { sql }
}

@Suite(.serialized) struct ValidationTests {
    private func expect(_ refusals: [Refusal]) async throws {
        let bench = try await QueueBench()
        for refusal in refusals {
            let error = await bench.error("SELECT " + refusal.sql)
            #expect(error?.sqlState == refusal.state, "\(refusal.sql)")
            #expect(error?.message.contains(refusal.message) == true, "\(refusal.sql): \(error?.message ?? "")")
            if refusal.state.hasPrefix("KL") || refusal.state == "22023" {
                let hint = error?.hint ?? ""
                #expect(!hint.isEmpty && (refusal.hint.isEmpty || hint.contains(refusal.hint)), "\(refusal.sql): \(hint)")
            }
        }
        let rows: Int = try await bench.value(
            "SELECT (SELECT count(*) FROM kiln.jobs) + (SELECT count(*) FROM kiln.queue) + (SELECT count(*) FROM kiln.workflow) + (SELECT count(*) FROM kiln.schedule)"
        )
        #expect(rows == 0)
    }

    @Test func `arguments of enqueue that make no sense are named, with what to do`() async throws {
        try await expect([
            Refusal("kiln.enqueue('')", #"enqueue: kind is "", but a kind has 1 to 200 bytes"#, hint: "registered"),
            Refusal("kiln.enqueue(NULL)", "enqueue: kind is NULL"),
            Refusal("kiln.enqueue(repeat('k', 201))", #"kkk...", but a kind has"#),
            Refusal("kiln.enqueue('a', queue => '')", "queue is"),
            Refusal("kiln.enqueue('a', queue => repeat('é', 101))", "queue is"),
            Refusal("kiln.enqueue('a', run_at => 'infinity')", #"run_at is "infinity""#, hint: "Leave it out"),
            Refusal("kiln.enqueue('a', max_attempts => 0)", #"max_attempts is "0""#, hint: "Use 1"),
            Refusal("kiln.enqueue('a', max_attempts => 10001)", "max_attempts"),
            Refusal("kiln.enqueue('a', timeout => '-1 s')", "timeout is"),
            Refusal("kiln.enqueue('a', timeout => '0')", "timeout is"),
            Refusal("kiln.enqueue('a', unique_key => '')", "unique_key is"),
            Refusal("kiln.enqueue('a', unique_key => repeat('x', 1001))", "unique_key is", hint: "hash"),
            Refusal("kiln.enqueue('a', unique_key => 'k', unique_scope => 'waitng')", "unique_scope", hint: #"Did you mean "waiting"?"#),
            Refusal("kiln.enqueue('a', unique_scope => 'waiting')", "unique_key is NULL"),
            Refusal("kiln.enqueue('a', on_duplicate => 'keep')", "unique_key is NULL"),
            Refusal("kiln.enqueue('a', unique_key => 'k', unique_scope => 'period')", "unique_period is NULL"),
            Refusal("kiln.enqueue('a', unique_key => 'k', unique_scope => 'waiting', unique_period => '1 h')", "unique_scope"),
            Refusal("kiln.enqueue('a', unique_key => 'k', unique_period => '-1 h')", "unique_period"),
            Refusal("kiln.enqueue('a', unique_key => 'k', on_duplicate => 'replac')", "on_duplicate", hint: #""replace""#),
            Refusal("kiln.enqueue('a', concurrency_key => '')", "concurrency_key"),
            Refusal("kiln.enqueue('a', concurrency_key => repeat('x', 1001))", "concurrency_key"),
            Refusal("kiln.enqueue('a', on_parent_failure => 'explode')", "on_parent_failure", hint: "fail_workflow"),
            Refusal("kiln.enqueue('a', depends_on => ARRAY[NULL::uuid])", "depends_on"),
            Refusal("kiln.enqueue('a', depends_on => ARRAY['01980000-0000-7000-8000-000000000000'::uuid])", "KL002", "depends_on names job 01980000-0000-7000-8000-000000000000", hint: "not committed"),
            Refusal("kiln.enqueue('a', workflow => '01980000-0000-7000-8000-000000000000')", "KL002", "workflow 01980000-0000-7000-8000-000000000000 does not exist", hint: "enqueue_workflow"),
            Refusal("kiln.enqueue('a', cores => 0)", "cores is"),
            Refusal("kiln.enqueue('a', cores => 'NaN')", "cores is"),
            Refusal("kiln.enqueue('a', cores => 'infinity')", "cores is"),
            Refusal("kiln.enqueue('a', memory => -1)", "memory is"),
        ])
    }

    @Test func `JSON that is not what it should be is named by job and key`() async throws {
        try await expect([
            Refusal("kiln.enqueue_many('{}')", "it must be a JSON array", hint: "[{"),
            Refusal("kiln.enqueue_many(NULL)", "jobs is NULL"),
            Refusal(#"kiln.enqueue_many('[{"kind": "a"}, 7]')"#, "jobs, job 2"),
            Refusal(#"kiln.enqueue_many('[{"kind": "a"}, {"kind": "a", "priorty": 1}]')"#, #"enqueue_many, job 2: there is no key "priorty""#, hint: #"Did you mean "priority"?"#),
            Refusal(#"kiln.enqueue_many('[{"kind": "a", "priority": "high"}]')"#, #"enqueue_many, job 1: priority is ""high"""#),
            Refusal(#"kiln.enqueue_many('[{"kind": "a", "run_at": "tomorrowish"}]')"#, "run_at"),
            Refusal(#"kiln.enqueue_many('[{"kind": "a", "timeout": "soon"}]')"#, "timeout"),
            Refusal(#"kiln.enqueue_many('[{"kind": "a", "depends_on": ["x"]}]')"#, "depends_on"),
            Refusal(#"kiln.enqueue_many('[{"kind": "a", "after": ["x"]}]')"#, #"there is no key "after""#),
            Refusal(#"kiln.enqueue_many('[{"payload": 1}]')"#, "job 1: kind is NULL"),
            Refusal(#"kiln.enqueue('a', '{"x": ')"#, "22P02", "invalid input syntax"),
            Refusal("kiln.enqueue('a', '{\"x\": \"\\u0000\"}')", "22P05", "unsupported Unicode escape sequence"),
        ])
    }

    @Test func `a workflow's mistakes are named by node`() async throws {
        try await expect([
            Refusal("kiln.enqueue_workflow('[]')", "it must be a JSON object", hint: #""nodes""#),
            Refusal("kiln.enqueue_workflow('{}')", "nodes is NULL"),
            Refusal(#"kiln.enqueue_workflow('{"nodes": []}')"#, "1 to 10000"),
            Refusal(#"kiln.enqueue_workflow('{"nods": []}')"#, #"no key "nods""#, hint: #""nodes""#),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"kind": "a"}]}')"#, "job 1: node is NULL"),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "x", "kind": "a"}, {"node": "x", "kind": "a"}]}')"#, #"node is "x""#),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "x", "kind": "a", "after": "y"}]}')"#, "it must be an array"),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "x", "kind": "a", "after": [1]}]}')"#, "a parent is the name"),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "x", "kind": "a", "after": [{"node": "x", "on_failure": "no"}]}]}')"#, "a parent is", hint: "fail_workflow"),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "alpha", "kind": "a"}, {"node": "b", "kind": "a", "after": ["alph"]}]}')"#, "KL002", #"node "b": after names "alph""#, hint: #"Did you mean "alpha"?"#),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "b", "kind": "a", "after": ["b"]}]}')"#, "KL003", #""b" -> "b""#),
            Refusal(#"kiln.enqueue_workflow('{"nodes": [{"node": "b", "kind": ""}]}')"#, #"node "b": kind is"#),
        ])
    }

    @Test func `limits, kinds, retention and names are checked`() async throws {
        try await expect([
            Refusal("kiln.set_queue('', 1)", "name is"),
            Refusal("kiln.set_queue('q', concurrency => 0)", "concurrency is", hint: "pause()"),
            Refusal("kiln.set_queue('q', worker_concurrency => 0)", "worker_concurrency is"),
            Refusal("kiln.set_queue('q', key_concurrency => -1)", "key_concurrency is"),
            Refusal("kiln.set_queue('q', rate_limit => 5)", "rate_interval is NULL", hint: "1 minute"),
            Refusal("kiln.set_queue('q', rate_limit => 0, rate_interval => '1 s')", "rate_limit is"),
            Refusal("kiln.set_queue('q', rate_limit => 1, rate_interval => '0')", "rate_interval is"),
            Refusal("kiln.pause('')", "queue is"),
            Refusal("kiln.resume(NULL)", "queue is NULL"),
            Refusal("kiln.set_kind('')", "kind is"),
            Refusal("kiln.set_kind('k', max_attempts => 0)", "max_attempts"),
            Refusal("kiln.set_kind('k', cores => -1)", "cores"),
            Refusal("kiln.set_kind('k', retry_base => '-1 s')", "retry_base"),
            Refusal("kiln.set_kind('k', retry_factor => 0.5)", "retry_factor"),
            Refusal("kiln.set_retention('lost', '1 day')", "outcome is"),
            Refusal("kiln.set_retention('dead', '1 minute')", "keep is"),
            Refusal("kiln.maintain('never')", "p_part is"),
            Refusal("kiln.cancel('01980000-0000-7000-8000-000000000000')", "KL002", "cancel: job 01980000", hint: "retention"),
            Refusal("kiln.retry(NULL)", "KL002", "retry: job NULL"),
            Refusal("kiln.cancel_workflow('01980000-0000-7000-8000-000000000000')", "KL002", "cancel_workflow: workflow"),
            Refusal("kiln.retry_workflow(NULL)", "KL002", "retry_workflow: workflow NULL"),
            Refusal("kiln.worker_register(gen_random_uuid(), 'w', 'h', 1, 'v', '{}', '[]', 1, 1, 1, '1 min')", "queues"),
            Refusal("kiln.worker_register(gen_random_uuid(), 'w', 'h', 1, 'v', '{a}', '[]', 1, 1, 1, '0.1 s')", "p_lease"),
        ])
    }

    @Test func `looking at what is not there gives NULL`() async throws {
        let bench = try await QueueBench()
        #expect(try await bench.value("SELECT kiln.job(gen_random_uuid()) IS NULL AND kiln.workflow(NULL) IS NULL"))
    }
}
