import Foundation
import Testing

@testable import JobQueue

/// Names, keys and JSON of every kind are data, and nothing else.
@Suite(.serialized) struct TextTests {
    static let oddities = [
        "a'; DROP TABLE kiln.job; --", "\"quoted\"", "back\\slash", "$$ $1 %s %I {{schema}}", "q\"'\\; $$ ☃", "a,b{c}d NULL",
        "日本語 עברית \u{1F3AC}\u{200D}\u{1F469}", "e\u{301} vs é", "\u{FEFF}\u{202E}rtl\u{200B}", "tab\tline\nbreak\u{1}", " leading and trailing ", ":wake:a:",
    ]

    @Test(arguments: oddities) func `odd names go all the way and come back as they were`(name: String) async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker(name, name: name)
        try await bench.run("SELECT kiln.set_queue($1, concurrency => 5, key_concurrency => 1)", name)
        let json: String = try await bench.value("SELECT jsonb_build_object($1::text, $1::text)::text", name)
        let id = try await bench.enqueue(
            name, "payload => $3, unique_key => $2, concurrency_key => $2, queue => $2, node => $2, metadata => $3", name, json)
        #expect(try await bench.enqueue(name, "unique_key => $2", name) == id)
        let job = try await worker.claimOne()
        #expect(job.kind == name && job.queue == name && job.node == name)
        #expect(try await worker.beginStep(job, name) == "t running")
        try await bench.run("SELECT kiln.schedule($1, '@daily', 'UTC', $1)", name)
        try await bench.run("SELECT kiln.cancel($1, $2)", id, name)
        #expect(try await bench.value("SELECT reason FROM kiln.worker_signals($1)", worker.id) == name)
        #expect(try await worker.cancelled(job))
        let same: Bool = try await bench.value(
            """
            SELECT bool_and(reason = $2 AND payload = $3 AND concurrency_key = $2 AND unique_key = $2 AND metadata = $3)
            FROM kiln.jobs WHERE id = $1
            """, id, name, json)
        #expect(same)
        #expect(try await bench.values("SELECT name FROM kiln.worker_schedules()") == [name])
        try await bench.run("SELECT kiln.pause($1), kiln.resume($1)", name)
        #expect(try await bench.values("SELECT name FROM kiln.step", as: String.self) == [name])
        try await bench.expectHonestCounters()
    }

    @Test func `a payload, a result and an error of a megabyte go through`() async throws {
        let bench = try await QueueBench()
        let worker = try await bench.worker("a")
        let text = String(repeating: "0123456789abcdef☃", count: 1 << 16)
        let json = "{\"text\": \"\(text)\"}"
        let id = try await bench.enqueue("a", "payload => $2::jsonb", json)
        let many: UUID = try await bench.value(
            "SELECT kiln.enqueue_many(jsonb_build_array(jsonb_build_object('kind', 'a', 'payload', $1::jsonb)))", json)
        let jobs = try await worker.claim()
        #expect(jobs.map(\.id) == [id, many])
        try await worker.complete([jobs[0]], result: json)
        try await worker.fail(jobs[1], "{\"code\": \"big\", \"message\": \"\(text)\"}", permanent: true)
        #expect(try await bench.job(id, "result,text") == text)
        #expect(try await bench.job(many, "payload,text") == text)
        #expect(try await bench.job(many, "errors,0,error,message") == text)
        #expect(try await bench.value("SELECT length(reason) FROM kiln.dead_jobs") == 1000)
    }

    @Test func `a NUL is refused, wherever it hides`() async throws {
        let bench = try await QueueBench()
        for sql in [
            #"SELECT kiln.enqueue('a', '{"x": "\u0000"}')"#, #"SELECT kiln.enqueue('a', '{"\u0000": 1}')"#,
            #"SELECT kiln.enqueue_many('[{"kind": "a\u0000b"}]')"#, #"SELECT kiln.enqueue_workflow('{"name": "\u0000", "nodes": []}')"#,
        ] { #expect(await bench.error(sql)?.sqlState == "22P05", "\(sql)") }
        let error = await bench.error("SELECT kiln.enqueue($1)", "a\0b")
        #expect(error?.code == .badRequest && error?.message.contains("NUL") == true)
        // Escaped, it is six characters like others.
        let id = try await bench.enqueue("a", #"payload => '{"x": "\\u0000"}'"#)
        #expect(try await bench.job(id, "payload,x") == "\\u0000")
    }

    @Test func `unicode escapes and lone surrogates are as JSON has them`() async throws {
        let bench = try await QueueBench()
        let id = try await bench.enqueue("a", #"payload => '"\ud83c\udfac"'"#)
        #expect(try await bench.job(id, "payload") == "🎬")
        #expect(await bench.error(#"SELECT kiln.enqueue('a', '"\ud83c"')"#)?.sqlState == "22P02")
    }
}
