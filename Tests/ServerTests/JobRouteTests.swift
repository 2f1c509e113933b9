import Foundation
import JobQueue
import Testing
import Transfer

@testable import Server

@Suite struct JobRouteTests {
    @Test func `What was told about a job is listed, and how far that is`() async throws {
        try await withAPI { (api) async throws in
            let id = try await api.queue.enqueue("work", ["webhook": "https://example.com/hook"] as JSONValue)
            #expect(try await api.get("/v1/jobs/\(id.text)/deliveries")["deliveries"] == [])
            _ = try await api.queue.cancel(id)
            let told = try await api.get("/v1/jobs/\(id.text)/deliveries")
            #expect(told.status == 200 && told["deliveries"]?.elements?.count == 1, "\(told.text)")
            let delivery = try #require(told["deliveries"]?.elements?.first)
            #expect(delivery["event"] == "cancelled" && delivery["state"] == "ready" && delivery["attempt"] == 0)
            #expect(delivery["maxAttempts"] == 15 && delivery["finishedAt"] == nil)
            let unknown = UUID().uuidString.lowercased()
            #expect(try await api.get("/v1/jobs/\(unknown)/deliveries").status == 404)
        }
    }

    @Test func `A job is enqueued with all that can be said of it, and told back`() async throws {
        try await withAPI(settings: {
            $0.publicURL = try? HTTPURL("https://localhost/base/")
        }) { (api) async throws in
            let parent = try await api.enqueue()
            let made = try await api.post(
                "/v1/jobs",
                """
                {"kind": "mail", "payload": {"to": "a@b.c", "n": 12345678901234567890.5}, "queue": "post", "priority": 7,
                 "runAt": "2031-05-06T07:08:09.5+02:00", "maxAttempts": 3, "timeoutSeconds": 90.5,
                 "unique": {"key": "letter", "periodSeconds": 60, "onDuplicate": "keep"}, "concurrencyKey": "t1",
                 "dependsOn": ["\(parent.text)"], "onParentFailure": "run", "cores": 0.5, "memory": 1099511627776,
                 "metadata": {"order": 12}}
                """)
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made["id"]?.string)
            #expect(made["url"] == .string("https://localhost/base/v1/jobs/\(id)"))
            #expect(made.headers["Location"] == made["url"]?.string)
            #expect(made.headers["Strict-Transport-Security"] != nil)
            let jobID = try #require(UUID(uuidString: id))
            let job = try #require(try await api.queue.job(jobID))
            #expect(job.kind == "mail" && job.queue == "post" && job.state == .blocked && job.priority == 7)
            #expect(job.runAt == QueueJSON.date(from: "2031-05-06T05:08:09.5Z") && job.maxAttempts == 3)
            #expect(job.timeoutSeconds == 90.5 && job.uniqueKey == "letter" && job.concurrencyKey == "t1")
            #expect(job.parents == [parent] && job.cores == 0.5 && job.memory == 1 << 40)
            let told = try await api.get("/v1/jobs/\(id)")
            #expect(told.status == 200 && told["payload"]?["to"] == "a@b.c" && told["metadata"]?["order"] == 12)
            #expect(told.text.contains("12345678901234567890.5"))
            #expect(told["state"] == "blocked" && told["id"] == .string(id))
        }
    }

    @Test func `What cannot be a job is refused, and the place is named`() async throws {
        try await withAPI(settings: {
            $0.kinds = [
                KindDescription(
                    "clip",
                    schema: [
                        "type": "object", "required": ["input"], "additionalProperties": false,
                        "properties": ["input": ["type": "string"], "crf": ["type": "integer"]],
                    ])
            ]
        }) { (api) async throws in
            func post(_ body: String, _ headers: HTTPHeaders = [:]) async throws -> Reply {
                try await api.post("/v1/jobs", body, headers: headers)
            }
            let typo = try await post(#"{"kind": "k", "priorty": 1}"#)
            #expect(typo.status == 422 && typo.pointers == ["/priorty"])
            #expect(typo["detail"]?.string?.contains("did you mean \"priority\"?") == true)
            #expect(typo.headers["Content-Type"] == "application/problem+json" && typo["status"] == 422)
            #expect(typo["requestId"]?.string == typo.headers["X-Request-Id"])
            let payload = try await post(#"{"kind": "clip", "payload": {"inptu": "a", "crf": "x"}}"#)
            #expect(payload.status == 422)
            #expect(Set(payload.pointers) == ["/payload", "/payload/inptu", "/payload/crf"])
            #expect(try await post(#"{"kind": "clip", "payload": {"input": "a"}}"#).status == 201)
            #expect(try await post(#"{"kind": "unknown", "payload": [1]}"#).status == 201)
            let malformed = try await post("{\"kind\": \"k\",\n \"payload\": }")
            #expect(malformed.status == 400 && malformed.code == "malformed_json")
            #expect(malformed["detail"]?.string?.hasPrefix("line 2, column 13: ") == true, "\(malformed.text)")
            #expect(try await post("[]").status == 422)
            #expect(try await post("{}").pointers == [""])
            #expect(try await api.post("/v1/jobs").status == 400)
            #expect(try await post("kind=k", ["Content-Type": "application/x-www-form-urlencoded"]).status == 415)
            #expect(try await post("{}", ["Content-Encoding": "gzip"]).status == 415)
            #expect(try await post(#"{"kind": "k", "runAt": "tomorrow"}"#).pointers == ["/runAt"])
            #expect(try await post(#"{"kind": "k", "runAt": "infinity"}"#).status == 422)
            #expect(
                try await post(#"{"kind": "k", "unique": {"key": "a", "scope": "period"}}"#).pointers == ["/unique"])
            let unknown = try await post(#"{"kind": "k", "dependsOn": ["0190163d-8694-739b-aea5-966c26f8ad91"]}"#)
            #expect(unknown.status == 422 && unknown["detail"]?.string?.contains("0190163d") == true)
            #expect(try await post(#"{"kind": "k", "timeoutSeconds": 1e-100}"#).status == 422)
            #expect(try await api.get("/v1/jobs")["jobs"]?.elements?.count == 2)
        }
    }

    @Test func `Kinds that the queue itself makes jobs of are refused`() async throws {
        try await withAPI(settings: {
            $0.reservedKinds = ["webhook.deliver"]
        }) { (api) async throws in
            let job = try await api.post("/v1/jobs", #"{"kind": "webhook.deliver"}"#)
            #expect(job.status == 422 && job.pointers == ["/kind"], "\(job.text)")
            let workflow = try await api.post(
                "/v1/workflows", #"{"name": "w", "jobs": {"a": {"kind": "webhook.deliver"}}}"#)
            #expect(workflow.status == 422 && workflow.pointers == ["/jobs/a/kind"], "\(workflow.text)")
            let schedule = try await api.send(
                .put, "/v1/schedules/x", #"{"cron": "@daily", "kind": "webhook.deliver"}"#)
            #expect(schedule.status == 422 && schedule.pointers == ["/kind"], "\(schedule.text)")
            #expect(try await api.queue.jobs().isEmpty)
        }
    }

    @Test func `Paths and methods that are not there are problems`() async throws {
        try await withAPI { (api) async throws in
            #expect(try await api.get("/v1/nothing").status == 404)
            #expect(try await api.get("/v1/jobs/").status == 404)
            #expect(try await api.get("//v1/jobs").status == 404)
            let method = try await api.send(.delete, "/v1/jobs")
            #expect(method.status == 405 && method.headers["Allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(method.code == "method_not_allowed")
            #expect(try await api.get("/v1/jobs/7").status == 404)
            let none = try await api.get("/v1/jobs/0190163d-8694-739b-aea5-966c26f8ad91")
            #expect(none.status == 404 && none.code == "not_found")
            #expect(try await api.get("/v1/queues/%FF").status == 400)
            #expect(try await api.get("/v1/queues/%00").status == 400)
            let head = try await api.send(.head, "/v1/jobs")
            #expect(head.status == 200 && head.body.isEmpty && head.headers["Content-Length"] != "0")
            let id = try await api.get("/health", headers: ["X-Request-Id": "mine-1"])
            #expect(id.headers["X-Request-Id"] == "mine-1" && id.headers["X-Content-Type-Options"] == "nosniff")
            #expect(
                try await api.get("/health", headers: ["X-Request-Id": "bad id!"]).headers["X-Request-Id"] != "bad id!")
        }
    }

    @Test func `Lists come in pages that leave nothing out, filtered as asked`() async throws {
        try await withAPI { (api) async throws in
            let ids = try await api.queue.enqueueMany((0..<7).map { NewJob($0 < 5 ? "a" : "b", ["n": $0]) })
            try await api.queue.cancel(ids[0])
            var seen: [String] = []
            var path: String? = "/v1/jobs?limit=3&kind=a"
            while let current = path {
                let page = try await api.get(current)
                #expect(page.status == 200, "\(page.text)")
                seen += page["jobs"]?.elements?.compactMap { $0["id"]?.string } ?? []
                path = page["next"]?.string.map { "/v1/jobs?limit=3&kind=a&cursor=\($0)" }
                // Another one, newer than where the list stands, does not shift it.
                try await api.queue.enqueue("a")
            }
            #expect(seen == ids[..<5].reversed().map(\.text))
            #expect(try await api.get("/v1/jobs?state=cancelled")["jobs"]?.elements?.count == 1)
            #expect(try await api.get("/v1/jobs?queue=b&state=ready,running")["jobs"]?.elements?.count == 2)
            for query in ["limit=0", "limit=x", "limit=1&limit=2", "state=redy", "cursor=7", "colour=red"] {
                let refused = try await api.get("/v1/jobs?\(query)")
                #expect(refused.status == 400 && refused.code == "bad_parameter", "\(query): \(refused.text)")
            }
            #expect(try await api.get("/v1/jobs?state=redy")["detail"]?.string?.contains("ready") == true)
        }
    }

    @Test func `Jobs are cancelled and retried`() async throws {
        try await withAPI { (api) async throws in
            let id = try await api.enqueue()
            let cancelled = try await api.post("/v1/jobs/\(id.text)/cancel", #"{"reason": "a mistake"}"#)
            #expect(cancelled.status == 200 && cancelled["outcome"] == "cancelled")
            #expect(try await api.queue.job(id)?.reason == "a mistake")
            #expect(try await api.post("/v1/jobs/\(id.text)/retry")["state"] == "ready")
            #expect(try await api.post("/v1/jobs/\(UUID().text)/cancel").status == 404)
            #expect(try await api.post("/v1/jobs/\(UUID().text)/retry").status == 404)
            #expect(try await api.post("/v1/jobs/\(id.text)/cancel", #"{"raeson": "x"}"#).pointers == ["/raeson"])
            try await withWorker(
                api,
                register: { worker in
                    worker.register("work") { (_: Job<JSONValue>) -> Int in 1 }
                }
            ) {
                _ = try await api.queue.wait(for: id, timeout: .seconds(60))
            }
            let retried = try await api.post("/v1/jobs/\(id.text)/retry")
            #expect(retried.status == 409 && retried.code == "conflict")
            #expect(try await api.post("/v1/jobs/\(id.text)/cancel")["outcome"] == "succeeded")
        }
    }

    @Test func `A workflow is enqueued whole, and told, cancelled and retried`() async throws {
        try await withAPI { (api) async throws in
            let body =
                #"{"name": "publish", "jobs": {"a": {"kind": "x"}, "b": {"kind": "y", "after": ["a", {"node": "c", "onFailure": "run"}]}, "c": {"kind": "z", "payload": {"k": 1}}}}"#
            let made = try await api.post("/v1/workflows", body)
            #expect(made.status == 201, "\(made.text)")
            #expect(made["jobs"]?.members?.count == 3)
            let path = "/v1/workflows/\(made["id"]?.string ?? "")"
            let told = try await api.get(path)
            #expect(told.status == 200 && told["workflow"]?["name"] == "publish")
            #expect(told["jobs"]?.elements?.compactMap { $0["node"]?.string }.last == "b")
            #expect(try await api.post(path + "/cancel")["jobs"] == 3)
            #expect(try await api.post(path + "/retry")["jobs"] == 3)
            #expect(try await api.get("/v1/workflows/\(UUID().text)").status == 404)
            let unknown = try await api.post(
                "/v1/workflows", #"{"name": "w", "jobs": {"a": {"kind": "x", "after": ["q"]}}}"#)
            #expect(unknown.status == 422 && unknown["detail"]?.string?.contains("q") == true, "\(unknown.text)")
            let cycle = try await api.post(
                "/v1/workflows", #"{"name": "w", "jobs": {"a": {"kind": "x", "after": ["a"]}}}"#)
            #expect(cycle.status == 422)
            let typo = try await api.post("/v1/workflows", #"{"name": "w", "jobs": {"a": {"knd": "x"}}}"#)
            #expect(typo.status == 422 && Set(typo.pointers) == ["/jobs/a", "/jobs/a/knd"])
        }
    }
}
