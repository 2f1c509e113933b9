import JobQueue
import Testing
import Transfer

@testable import Server

@Suite struct AdministrationTests {
    @Test func `Queues are listed, limited, paused and resumed`() async throws {
        try await withAPI { (api) async throws in
            _ = try await api.enqueue()
            #expect(try await api.get("/v1/queues")["queues"]?.elements?.first?["ready"] == 1)
            let limited = try await api.send(
                .put, "/v1/queues/work", #"{"concurrency": 8, "rate": {"limit": 100, "seconds": 60}}"#)
            #expect(
                limited.status == 200 && limited["concurrency"] == 8 && limited["rateLimit"] == 100, "\(limited.text)")
            #expect(limited["rateIntervalSeconds"] == 60)
            let lifted = try await api.send(.put, "/v1/queues/work", "{}")
            #expect(lifted.status == 200 && lifted["concurrency"] == nil)
            #expect(try await api.post("/v1/queues/work/pause")["paused"] == true)
            #expect(try await api.get("/v1/queues/work")["paused"] == true)
            #expect(try await api.post("/v1/queues/work/resume")["paused"] == false)
            #expect(try await api.post("/v1/queues/a%2Fb%20c/pause")["queue"] == "a/b c")
            #expect(try await api.get("/v1/queues/nobody").status == 404)
            let wrong = try await api.send(.put, "/v1/queues/work", #"{"concurrency": 0, "rate": {"limit": 1}}"#)
            #expect(wrong.status == 422 && wrong.pointers == ["/concurrency", "/rate"], "\(wrong.text)")
            let long = String(repeating: "x", count: 201)
            #expect(try await api.post("/v1/queues/\(long)/pause").status == 400)
        }
    }

    @Test func `Schedules are put, listed and deleted`() async throws {
        try await withAPI(settings: {
            $0.kinds = [KindDescription("sweep", schema: ["properties": ["deep": ["type": "boolean"]]])]
        }) { (api) async throws in
            let body =
                #"{"cron": "30 2 * * *", "timezone": "Europe/Berlin", "kind": "sweep", "payload": {"deep": true}, "options": {"priority": 5}, "missed": "skip"}"#
            let put = try await api.send(.put, "/v1/schedules/nightly%20sweep", body)
            #expect(put.status == 200 && put["name"] == "nightly sweep" && put["nextTick"] != nil, "\(put.text)")
            #expect(put["options"]?["priority"] == 5 && put["missed"] == "skip")
            #expect(try await api.get("/v1/schedules")["schedules"]?.elements?.count == 1)
            let cron = try await api.send(.put, "/v1/schedules/x", #"{"cron": "61 * * * *", "kind": "sweep"}"#)
            #expect(cron.status == 422 && cron["detail"]?.string?.contains("61") == true, "\(cron.text)")
            let payload = try await api.send(
                .put, "/v1/schedules/x", #"{"cron": "@daily", "kind": "sweep", "payload": {"deep": 1}}"#)
            #expect(payload.status == 422 && payload.pointers == ["/payload/deep"])
            #expect(
                try await api.send(.put, "/v1/schedules/x", #"{"cron": "@daily", "kind": "k", "timezone": "Mars"}"#)
                    .status == 422)
            #expect(try await api.send(.delete, "/v1/schedules/nightly%20sweep").status == 204)
            #expect(try await api.send(.delete, "/v1/schedules/nightly%20sweep").status == 404)
        }
    }
}
