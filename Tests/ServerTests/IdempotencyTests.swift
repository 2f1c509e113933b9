import Foundation
import JobQueue
import PostgresTestSupport
import Transfer
import Testing

@testable import Server

@Suite struct IdempotencyTests {
    @Test func `A request with a key happens once, whatever its spaces`() async throws {
        try await withAPI { (api) async throws in
            let first = try await api.post(
                "/v1/jobs", #"{"kind": "k", "priority": 1}"#, headers: ["Idempotency-Key": "a"])
            let again = try await api.post(
                "/v1/jobs", "{\"priority\":1,\n\"kind\":\"k\"}", headers: ["Idempotency-Key": "\"a\""])
            #expect(first.status == 201 && again.status == 201 && first["id"] == again["id"])
            #expect(first.headers["Idempotency-Replayed"] == nil && again.headers["Idempotency-Replayed"] == "true")
            let other = try await api.post(
                "/v1/jobs", #"{"kind": "k", "priority": 2}"#, headers: ["Idempotency-Key": "a"])
            #expect(other.status == 422 && other.code == "idempotency_key_reused")
            let elsewhere = try await api.post(
                "/v1/workflows", #"{"name": "w", "jobs": {"a": {"kind": "k"}}}"#, headers: ["Idempotency-Key": "a"])
            #expect(elsewhere.status == 422)
            #expect(try await api.queue.jobs().count == 1)
            for key in [String(repeating: "x", count: 256), "a b", "\"\""] {
                #expect(
                    try await api.post("/v1/jobs", #"{"kind": "k"}"#, headers: ["Idempotency-Key": key]).status == 400)
            }
        }
    }

    @Test func `Ten at the same time make one job`() async throws {
        try await withAPI { (api) async throws in
            let ids = try await withThrowingTaskGroup(of: JSONValue?.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        let reply = try await api.post("/v1/jobs", #"{"kind": "k"}"#, headers: ["Idempotency-Key": "b"])
                        #expect(reply.status == 201, "\(reply.text)")
                        return reply["id"]
                    }
                }
                var ids: Set<JSONValue?> = []
                for try await id in group { ids.insert(id) }
                return ids
            }
            #expect(ids.count == 1)
            #expect(try await api.queue.jobs().count == 1)
        }
    }

    @Test func `A request that was refused leaves its key free`() async throws {
        try await withAPI { (api) async throws in
            let body = #"{"kind": "k", "dependsOn": ["0190163d-8694-739b-aea5-966c26f8ad91"]}"#
            let refused = try await api.post("/v1/jobs", body, headers: ["Idempotency-Key": "c"])
            let taken = try await api.post("/v1/jobs", #"{"kind": "k"}"#, headers: ["Idempotency-Key": "c"])
            #expect(refused.status == 422 && taken.status == 201)
        }
    }

    @Test func `Tokens have keys of their own, and old ones are forgotten`() async throws {
        try await withAPI { (api) async throws in
            let tokens = TokenStore(api.queue)
            let one = try await api.bearing(tokens.create(name: "one", scopes: [.produce]).text)
            let other = try await api.bearing(tokens.create(name: "other", scopes: [.produce]).text)
            let (mine, theirs) = (
                try await one.post("/v1/jobs", #"{"kind": "k"}"#, headers: ["Idempotency-Key": "d"]),
                try await other.post("/v1/jobs", #"{"kind": "x"}"#, headers: ["Idempotency-Key": "d"])
            )
            #expect(mine.status == 201 && theirs.status == 201 && mine["id"] != theirs["id"])
            _ = try await api.database.psql(
                "UPDATE kiln_api.idempotency SET created_at = created_at - interval '25 hours'")
            let later = try await one.post("/v1/jobs", #"{"kind": "y"}"#, headers: ["Idempotency-Key": "d"])
            #expect(later.status == 201 && later["id"] != mine["id"])
            try await Idempotency(api.queue, schema: "kiln").forgetOld()
            #expect(try await api.database.psql("SELECT count(*) FROM kiln_api.idempotency").contains("1"))
        }
    }
}
