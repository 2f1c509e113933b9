import Foundation
import JobQueue
import PostgresTestSupport
import TestSupport
import Testing

@testable import Worker

/// A database with the queue in it, and the command that is told of it by the environment.
private struct Desk {
    let database: TestDatabase

    init() async throws { database = try await PostgresCluster.shared.makeQueueDatabase() }

    func kiln(_ arguments: String..., input: String = "", url: String? = nil) async throws -> KilnProcess.Outcome {
        try await KilnProcess.run(
            arguments, input: Array(input.utf8), environment: ["DATABASE_URL": url ?? database.url])
    }

    /// Enqueues and returns the id that was printed.
    func enqueue(_ arguments: String...) async throws -> String {
        let outcome = try await KilnProcess.run(
            ["enqueue"] + arguments, environment: ["DATABASE_URL": database.url])
        #expect(outcome.status == 0, "\(outcome.error)")
        let id = outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(UUID(uuidString: id) != nil && id == id.lowercased())
        return id
    }
}

extension KilnProcess.Outcome {
    /// Reads what a command of the queue printed as JSON.
    fileprivate func queue<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try QueueJSON.decoder().decode(type, from: Data(output))
    }

    /// One line on standard error that begins as all do.
    fileprivate var isOneSentence: Bool {
        error.hasPrefix("kiln: ") && error.hasSuffix("\n") && error.split(separator: "\n").count == 1
    }
}

@Suite struct QueueCommandTests {
    @Test func `A job is enqueued, shown, cancelled and retried`() async throws {
        let desk = try await Desk()
        let id = try await desk.enqueue(
            "media.transcode", #"{"input": "a.mov"}"#, "--priority", "-3", "--delay", "1h30m", "--max-attempts", "4",
            "--timeout", "90s", "--unique-key", "a", "--concurrency-key", "tenant", "--cores", "0.5", "--memory", "2G",
            "--queue", "slow", "--metadata", #"{"order_no": 7}"#)
        let json = try await desk.kiln("job", id, "--json")
        // As it was printed, for those who search.
        #expect(json.text.contains("\"id\" : \"\(id)\""))
        let job = try json.queue(JobInfo.self)
        #expect(job.kind == "media.transcode" && job.queue == "slow" && job.state == .scheduled && job.priority == -3)
        #expect(abs(job.runAt.timeIntervalSince(job.createdAt) - 5400) < 60)
        #expect(job.maxAttempts == 4 && job.timeoutSeconds == 90 && job.uniqueKey == "a")
        #expect(job.concurrencyKey == "tenant" && job.cores == 0.5 && job.memory == 2_000_000_000)
        #expect(try job.payload?.decode([String: String].self) == ["input": "a.mov"])
        #expect(try job.metadata?.decode([String: Int].self) == ["order_no": 7])
        // Its key is taken.
        #expect(try await desk.enqueue("media.transcode", "--unique-key", "a") == id)

        let text = try await desk.kiln("job", id.uppercased())
        for part in [id, "media.transcode", "scheduled", "in 90 min", #"{"input": "a.mov"}"#, "tenant"] {
            #expect(text.text.contains(part), "\(part)")
        }
        let list = try await desk.kiln("jobs")
        let lines = list.text.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("ID ") && lines[1].hasPrefix(id))
        #expect(list.error.isEmpty)

        #expect(try await desk.kiln("cancel", id, "--reason", "wrong file").text == "\(id)  cancelled\n")
        #expect(try await desk.kiln("jobs", "--state", "cancelled").text.contains("wrong file"))
        #expect(try await desk.kiln("retry", id).text == "\(id)  ready\n")
        #expect(try await desk.kiln("jobs", "--state", "cancelled", "dead").text == "no jobs\n")
        #expect(try await desk.kiln("jobs", "--state", "cancelled", "--json").queue([JobInfo].self).isEmpty)
        #expect(try await desk.kiln("jobs", "--json").queue([JobInfo].self).first?.id.uuidString.lowercased() == id)
    }

    @Test func `A payload comes from a file or a pipe as it is`() async throws {
        let desk = try await Desk()
        let folder = try Scratch()
        try folder.put("p.json", Array(#"{"a": [1, 2.50, 123456789012345678901234567890]}"#.utf8))
        let file = try await desk.enqueue("k", "@\(folder.path)/p.json")
        let queue = try QueueClient(desk.database.url)
        let stored = try await queue.job(#require(UUID(uuidString: file)))
        #expect(stored?.payload?.text == #"{"a": [1, 2.50, 123456789012345678901234567890]}"#)
        let large = #"["\#(String(repeating: "猫 ", count: 300_000))"]"#
        let piped = try await desk.kiln("enqueue", "k", "-", "--json", input: large)
        let id = try #require(try piped.queue([String: String].self)["id"].flatMap { UUID(uuidString: $0) })
        #expect(try await queue.job(id)?.payload?.text == large)
        await queue.close()

        let broken = try await desk.kiln("enqueue", "k", "-", input: "{\n  \"a\": b}")
        #expect(broken.status == 65 && broken.isOneSentence && broken.error.contains("line 2, column 8"))
        let missing = try await desk.kiln("enqueue", "k", "@\(folder.path)/none.json")
        #expect(missing.status == 66 && missing.isOneSentence)
        let nul = try await desk.kiln("enqueue", "k", #"{"a": "\u0000"}"#)
        #expect(nul.status == 65 && nul.isOneSentence && nul.error.contains("NUL") && nul.error.contains("base64"))
    }

    @Test func `Jobs wait for others`() async throws {
        let desk = try await Desk()
        let first = try await desk.enqueue("a")
        let second = try await desk.enqueue("a")
        let child = try await desk.enqueue(
            "b", "--depends-on", first, second, "--on-parent-failure", "cancel", "--at", "2100-01-01T00:00Z")
        let job = try await desk.kiln("job", child, "--json").queue(JobInfo.self)
        #expect(job.state == .blocked && job.parents?.count == 2)
        #expect(QueueJSON.date(from: "2100-01-01T00:00Z") == job.runAt)
        _ = try await desk.kiln("cancel", first)
        let followed = try await desk.kiln("job", child, "--follow")
        #expect(followed.status == 1)
        #expect(followed.text.contains("cancelled") && followed.isOneSentence)
    }

    @Test func `Exit codes and sentences tell what went wrong`() async throws {
        let desk = try await Desk()
        let nobody = UUID().uuidString.lowercased()
        let known = try await desk.enqueue("k")
        for (arguments, status, words) in [
            (["job", nobody], 66, [nobody, "retention"]),
            (["cancel", nobody], 66, [nobody]),
            (["retry", nobody], 66, [nobody]),
            (["schedule", "remove", "none"], 66, ["none"]),
            (["enqueue", ""], 65, ["kind"]),
            (["enqueue", "k", "--max-attempts", "0"], 65, ["max_attempts", "1 to 10000"]),
            (["enqueue", "k", "{"], 65, ["JSON"]),
            (["queue", "set", "q", "--concurrency", "0"], 65, ["concurrency", "pause"]),
            (["schedule", "set", "s", "61 * * * *", "k"], 65, ["minute"]),
            (["enqueue", "k", "--depends-on", nobody], 66, [nobody]),
            (["enqueue", "k", "@/nowhere/p.json"], 66, ["/nowhere/p.json"]),
            (["jobs", "--schema", "elsewhere"], 78, ["elsewhere", "kiln migrate"]),
        ] {
            for json in [false, true] {
                let outcome = try await KilnProcess.run(
                    arguments + (json ? ["--json"] : []), environment: ["DATABASE_URL": desk.database.url])
                #expect(outcome.status == Int32(status), "\(arguments): \(outcome.error)")
                #expect(outcome.isOneSentence, "\(outcome.error)")
                for word in words { #expect(outcome.error.contains(word), "\(arguments): \(outcome.error)") }
                if json {
                    let report = try outcome.queue(ErrorReport.self)
                    #expect(report.error.exitCode == Int32(status) && !report.error.message.isEmpty)
                } else {
                    #expect(outcome.output.isEmpty)
                }
            }
        }
        for arguments in [
            ["job", "7"], ["jobs", "--state", "lost"], ["enqueue"], ["enqueue", "k", "--delay", "soon"],
            ["enqueue", "k", "--delay", "1m", "--at", "2100-01-01T00:00Z"], ["dead", "purge"],
            ["jobs", "--limit", "0"],
            ["enqueue", "k", "--unique-scope", "waiting"], ["migrate", "--status", "--sql"],
        ] {
            let outcome = try await KilnProcess.run(arguments, environment: ["DATABASE_URL": desk.database.url])
            #expect(outcome.status == 64, "\(arguments): \(outcome.error)")
        }
        // What can be done is done.
        let both = try await desk.kiln("cancel", nobody, known)
        #expect(both.status == 66 && both.text == "\(known)  cancelled\n")
    }

    @Test func `A database that cannot be had is 69, and no password is told`() async throws {
        let desk = try await Desk()
        let password = "s3cret-\(UUID().uuidString)"
        let login = try await desk.database.makeLogin(in: nil, password: password)
        let port = desk.database.cluster.port
        for (url, status) in [
            ("postgresql://\(login.name):\(password)@127.0.0.1:1/x", 69),
            ("postgresql://nobody:\(password)@127.0.0.1:\(port)/\(desk.database.name)", 69),
            ("postgresql://\(login.name):\(password)@127.0.0.1:\(port)/missing", 69),
            ("postgresql://\(login.name):\(password)@127.0.0.1:\(port)/\(desk.database.name)", 77),
            ("postgresql://\(login.name):\(password)@x@127.0.0.1/x", 64), ("host=x password='\(password)", 64),
            ("", 64),
        ] {
            for arguments in [["jobs", "--json"], ["enqueue", "k"], ["migrate", "--no-roles"]] {
                if status == 77, arguments[0] == "migrate" { continue }
                let outcome = try await KilnProcess.run(arguments, environment: ["DATABASE_URL": url])
                #expect(outcome.status == Int32(status), "\(arguments): \(outcome.error)")
                #expect(outcome.isOneSentence, "\(outcome.error)")
                #expect(!outcome.error.contains(password) && !outcome.text.contains(password))
            }
        }
        let named = try await KilnProcess.run(
            ["jobs", "--database", desk.database.url], environment: ["DATABASE_URL": ""])
        #expect(named.status == 0 && named.text == "no jobs\n")
    }

    @Test func `Queues are limited and paused`() async throws {
        let desk = try await Desk()
        _ = try await desk.enqueue("mail")
        let set = try await desk.kiln(
            "queue", "set", "mail", "--concurrency", "4", "--worker-concurrency", "2", "--key-concurrency", "1",
            "--rate",
            "100/1m")
        #expect(set.text == "mail: 4 at a time, 2 per worker, 1 per key, 100 per 60 s\n", "\(set.error)")
        #expect(try await desk.kiln("pause", "mail").text.hasPrefix("mail: paused, 4 at a time"))
        let queues = try await desk.kiln("queues", "--json").queue([QueueInfo].self)
        #expect(queues.map(\.queue) == ["mail"] && queues[0].paused && queues[0].rateIntervalSeconds == 60)
        #expect(try await desk.kiln("queues").text.contains("paused, 4 at a time"))
        #expect(try await desk.kiln("resume", "mail").text.hasPrefix("mail: 4 at a time"))
        #expect(try await desk.kiln("queues", "set", "mail").text == "mail: no limits\n")
        let health = try await desk.kiln("health", "--json").queue(HealthInfo.self)
        #expect(health.ready == 1 && health.workersAlive == 0)
        #expect(try await desk.kiln("health").text.contains("ready"))
        #expect(try await desk.kiln("workers").text == "no workers\n")
        #expect(try await desk.kiln("workers", "--json").queue([WorkerInfo].self).isEmpty)
    }

    @Test func `Schedules are kept`() async throws {
        let desk = try await Desk()
        let set = try await desk.kiln(
            "schedule", "set", "nightly", "30 2 * * *", "sweep", #"{"deep": true}"#, "--timezone", "Europe/Berlin",
            "--missed", "all", "--priority", "3")
        #expect(set.status == 0 && set.text.hasPrefix("nightly: runs in "), "\(set.error)")
        let schedules = try await desk.kiln("schedule", "list", "--json").queue([ScheduleInfo].self)
        #expect(schedules.map(\.name) == ["nightly"] && schedules[0].missed == .all)
        #expect(schedules[0].payload == ["deep": true] && schedules[0].options == ["priority": 3])
        let list = try await desk.kiln("schedule")
        #expect(list.text.contains("30 2 * * *") && list.text.contains("Europe/Berlin"))
        #expect(try await desk.kiln("schedule", "remove", "nightly").text == "nightly: removed\n")
        #expect(try await desk.kiln("schedules").text == "no schedules\n")
    }

    @Test func `Dead letters are retried and purged`() async throws {
        let desk = try await Desk()
        for kind in ["a", "b", "b"] { _ = try await desk.enqueue(kind) }
        _ = try await desk.database.psql(
            """
            SELECT kiln.worker_register(gen_random_uuid(), 'w', 'h', 1, '0', '{a,b}', '[]', 4, 1, 4, '1 minute');
            SELECT f.* FROM kiln.worker w, kiln.worker_claim(w.id, '{a,b}', '{9,9}', 9, 9, 9, 9, 9) c,
                kiln.worker_fail(w.id, c.id, c.token, '{"message": "no such \\u001b[31mfile"}', NULL, '0', true) f;
            """)
        let dead = try await desk.kiln("dead", "--json").queue([JobInfo].self)
        #expect(dead.count == 3 && dead.allSatisfy { $0.errors?.last?.message == "no such \u{1B}[31mfile" })
        let text = try await desk.kiln("dead", "list", "--kind", "a").text
        #expect(text.split(separator: "\n").count == 2 && text.contains("[31mfile"))
        // A terminal would obey.
        #expect(!text.contains("\u{1B}"))
        #expect(try await desk.kiln("dead", "retry", "--kind", "a").text == "1 retried\n")
        #expect(try await desk.kiln("dead", "purge", "--all", "--older-than", "1d").text == "0 purged\n")
        #expect(try await desk.kiln("dead", "purge", "--all").text == "2 purged\n")
        #expect(try await desk.kiln("dead").text == "no dead jobs\n")
        #expect(try await desk.kiln("workers").text.contains("alive"))
    }

    @Test func `Workflows are enqueued, shown, waited for, cancelled and retried`() async throws {
        let desk = try await Desk()
        let graph = """
            {"name": "publish", "metadata": {"title": 42}, "nodes": [
              {"node": "probe", "kind": "a", "payload": {"input": "a.mov"}},
              {"node": "video", "kind": "a", "after": ["probe"]},
              {"node": "report", "kind": "a", "after": ["probe", {"node": "video", "on_failure": "run"}]}]}
            """
        let folder = try Scratch()
        try folder.put("flow.json", Array(graph.utf8))
        let made = try await desk.kiln("workflow", "enqueue", "\(folder.path)/flow.json", "--json")
        let flow = try made.queue(EnqueuedWorkflow.self)
        #expect(Set(flow.jobs.keys) == ["probe", "video", "report"])
        let id = flow.id.uuidString.lowercased()
        let piped = try await desk.kiln("workflow", "enqueue", "-", input: graph)
        let other = piped.text.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(UUID(uuidString: other) != nil && other == other.lowercased())

        let report = try await desk.kiln("workflow", "show", id, "--json").queue(WorkflowReport.self)
        #expect(report.workflow.id == flow.id && report.workflow.name == "publish")
        #expect(report.workflow.status == "running")
        #expect(report.nodes.map(\.node) == ["probe", "video", "report"])
        #expect(report.nodes.map(\.state) == [.ready, .blocked, .blocked])
        #expect(report.nodes.map(\.after) == [[], ["probe"], ["probe", "video"]])
        #expect(report.nodes[0].job == flow.jobs["probe"])
        let text = try await desk.kiln("workflow", "show", id.uppercased()).text
        let lines = text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("workflow ") == true && lines.first?.hasSuffix(id) == true)
        #expect(lines.contains { $0.hasPrefix("report ") && $0.contains("blocked") && $0.contains("probe, video") })
        #expect(text.contains("0 of 3 succeeded"))
        let list = try await desk.kiln("workflows").text.split(separator: "\n")
        #expect(list.count == 3 && list[1].hasPrefix(other) && list[2].contains("publish"))
        #expect(try await desk.kiln("workflow", "list", "--limit", "1", "--json").queue([WorkflowInfo].self).count == 1)

        let waiting = Task { try await desk.kiln("workflow", "show", id, "--wait", "--json") }
        #expect(
            try await desk.kiln("workflow", "cancel", id, "--reason", "wrong file").text
                == "3 cancelled or told to stop\n")
        let waited = try await waiting.value
        #expect(waited.status == 1 && waited.isOneSentence && waited.error.contains("wrong file"))
        #expect(try waited.queue(WorkflowReport.self).workflow.status == "cancelled")
        #expect(try await desk.kiln("workflow", "show", id).text.contains("wrong file"))
        #expect(try await desk.kiln("workflow", "cancel", id).text == "0 cancelled or told to stop\n")
        #expect(try await desk.kiln("workflow", "retry", id, "--json").queue([String: Int].self) == ["retried": 3])
        let again = try await desk.kiln("workflow", "show", id, "--json").queue(WorkflowReport.self)
        #expect(again.nodes[0].state == .ready)

        let cycle = try await desk.kiln(
            "workflow", "enqueue", "-",
            input: """
                {"nodes": [{"node": "a", "kind": "k", "after": ["b"]}, {"node": "b", "kind": "k", "after": ["a"]}]}
                """)
        #expect(cycle.status == 65 && cycle.isOneSentence && cycle.error.contains("cycle"))
        let nobody = UUID().uuidString
        for arguments in [["show", nobody], ["show", nobody, "--wait"], ["cancel", nobody], ["retry", nobody]] {
            let unknown = try await KilnProcess.run(
                ["workflow"] + arguments, environment: ["DATABASE_URL": desk.database.url])
            #expect(unknown.status == 66 && unknown.isOneSentence, "\(arguments): \(unknown.error)")
        }
        #expect(try await desk.kiln("workflow", "enqueue", "\(folder.path)/none.json").status == 66)
        #expect(try await desk.kiln("workflow", "enqueue", "-", input: "{").status == 65)
        #expect(try await desk.kiln("workflow", "show", "7").status == 64)
    }

    @Test func `A producer sees its own jobs only`() async throws {
        let desk = try await Desk()
        let id = try await desk.enqueue("k")
        let login = try await desk.database.makeLogin(in: "kiln_producer")
        let own = try await desk.kiln("enqueue", "k", url: login.url)
        #expect(own.status == 0, "\(own.error)")
        let other = try await desk.kiln("job", id, url: login.url)
        #expect(other.status == 77 && other.isOneSentence && other.error.contains("another role"))
        let list = try await desk.kiln("jobs", url: login.url)
        #expect(list.status == 77 && list.isOneSentence && list.error.contains("kiln_reader"))
        #expect(!list.error.contains(login.password))
        let graph = #"{"nodes": [{"node": "a", "kind": "k"}]}"#
        let flow = try await desk.kiln("workflow", "enqueue", "-", input: graph, url: login.url)
        let mine = flow.text.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try await desk.kiln("workflow", "show", mine, url: login.url).text.contains("ready"))
        let theirs = try await desk.kiln("workflow", "enqueue", "-", input: graph).text
            .trimmingCharacters(in: .whitespacesAndNewlines)
        for verb in ["show", "cancel", "retry"] {
            let refused = try await desk.kiln("workflow", verb, theirs, url: login.url)
            #expect(refused.status == 77 && refused.isOneSentence && refused.error.contains("another role"))
        }
    }
}
