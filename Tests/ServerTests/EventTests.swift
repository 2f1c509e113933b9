import Foundation
import JobQueue
import Locking
import PostgresTestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Server

/// An event as it was sent.
struct ServerEvent: Sendable {
    var name: String
    var id: String?
    var data: JSONValue
}

extension TestAPI {
    /// Reads events until the stream ends, or `isEnough`.
    func events(
        of job: JobID, after last: String? = nil, until isEnough: @Sendable (ServerEvent) -> Bool = { _ in false }
    ) async throws -> [ServerEvent] {
        var request = HTTPRequest(
            .get, try HTTPURL("\(base)/v1/jobs/\(job.text)/events"), destination: .trusted,
            timeouts: HTTPTimeouts(stall: .seconds(60)))
        request.headers["Last-Event-ID"] = last
        return try await client.withResponse(request) { response in
            guard response.status == 200 else { return [] }
            var events: [ServerEvent] = []
            var text = ""
            for try await chunk in response.body {
                text += String(decoding: chunk, as: UTF8.self)
                while let end = text.range(of: "\n\n") {
                    let block = text[..<end.lowerBound]
                    text = String(text[end.upperBound...])
                    guard let event = Self.event(block) else { continue }
                    events.append(event)
                    if isEnough(event) { return events }
                }
            }
            return events
        }
    }

    private static func event(_ block: Substring) -> ServerEvent? {
        var event = ServerEvent(name: "", data: .null)
        for line in block.split(separator: "\n") {
            let name = line.prefix { $0 != ":" }
            let value = String(line.dropFirst(name.count + 2))
            switch name {
            case "event": event.name = value
            case "id": event.id = value
            case "data": event.data = (try? JSONDecoder().decode(JSONValue.self, from: Data(value.utf8))) ?? .null
            default: break
            }
        }
        return event.name.isEmpty ? nil : event
    }
}

@Suite struct EventTests {
    @Test func `A job is followed from where it is to its end`() async throws {
        try await withAPI { (api) async throws in
            let id = try await api.enqueue()
            let (half, seen) = (AsyncFlag(), AsyncFlag())
            try await withWorker(
                api,
                register: { worker in
                    worker.register("work") { (job: Job<JSONValue>) in
                        job.progress(0.5, phase: "encode", message: "half of it")
                        half.raise()
                        await seen.wait()
                    }
                }
            ) {
                let events = try await api.events(of: id) { event in
                    if event.data["fraction"] == 0.5 { seen.raise() }
                    return false
                }
                let states = events.filter { $0.name == "state" }.compactMap { $0.data["state"]?.string }
                #expect(states.last == "succeeded" && events.last?.name == "state")
                let progress = try #require(events.first { $0.data["fraction"] == 0.5 })
                #expect(progress.data["phase"] == "encode" && progress.data["message"] == "half of it")
                #expect(events.allSatisfy { $0.id != nil } && Set(events.map(\.id)).count == events.count)
                #expect(events.last?.data["id"] == .string(id.text))
            }
        }
    }

    @Test func `A stream that broke off goes on where it was, and browsers are told of the end`() async throws {
        try await withAPI { (api) async throws in
            let id = try await api.enqueue()
            let beginning = try await api.events(of: id) { _ in true }
            let first = try #require(beginning.first)
            #expect(first.data["state"] == "ready")
            // Nothing has changed: the next event is the next change.
            async let later = api.events(of: id, after: first.id)
            try await api.queue.cancel(id)
            let events = try await later
            #expect(events.count == 1 && events.first?.data["state"] == "cancelled")
            let over = try await api.get(
                "/v1/jobs/\(id.text)/events", headers: ["Last-Event-ID": events.first?.id ?? ""])
            #expect(over.status == 204)
            // Another server, or a page that was loaded anew, has it from the beginning.
            #expect(try await api.events(of: id).map { $0.data["state"] } == ["cancelled"])
        }
    }

    @Test func `There are no events of what is not there, and no more streams than may be`() async throws {
        try await withAPI(settings: {
            $0.limits.eventStreams = 0
        }) { (api) async throws in
            #expect(try await api.get("/v1/jobs/\(UUID().text)/events").status == 404)
            let id = try await api.enqueue()
            let full = try await api.get("/v1/jobs/\(id.text)/events")
            #expect(full.status == 503 && full.headers["Retry-After"] != nil)
        }
    }

    @Test func `No caller has more than a share of the streams`() {
        let count = StreamCount(limit: 200)
        func take(_ subject: String) -> StreamCount.Place? {
            guard case .place(let place) = count.take(subject) else { return nil }
            return place
        }
        var places = (0..<26).compactMap { _ in take("a") }
        #expect(places.count == 25)
        #expect(take("b") != nil)
        places.removeLast()
        #expect(take("a") != nil)
    }

    @Test func `A silent stream shows that it is alive`() async throws {
        try await withAPI(settings: {
            $0.limits.heartbeat = .milliseconds(50)
        }) { (api) async throws in
            let id = try await api.enqueue()
            let request = HTTPRequest(
                .get, try HTTPURL("\(api.base)/v1/jobs/\(id.text)/events"), destination: .trusted)
            try await api.client.withResponse(request) { response in
                #expect(response.headers["Content-Type"] == "text/event-stream")
                var text = ""
                for try await chunk in response.body where !text.contains("\n\n: ") {
                    text += String(decoding: chunk, as: UTF8.self)
                    if text.contains(": still here\n\n") { return }
                }
                Issue.record("the stream ended: \(text)")
            }
        }
    }

    @Test func `Many who watch cost the database little, and all hear of the end`() async throws {
        let database = try await PostgresCluster.shared.makeServerDatabase()
        let queue = try QueueClient(database.url, logger: quiet)
        let ids = try await queue.enqueueMany((0..<300).map { NewJob("k", ["n": $0]) })
        let before = try await statements(of: database)
        let watch = JobWatch(queue)
        let first = AsyncFlag()
        let seen = Count()
        try await withThrowingTaskGroup(of: JobState?.self) { group in
            // Three for each job.
            for id in ids + ids + ids {
                group.addTask {
                    var last: JobState?
                    for try await glance in watch.glances(of: id) {
                        if last == nil, seen.add() == 900 { first.raise() }
                        last = glance.state
                    }
                    return last
                }
            }
            await first.wait()
            #expect(watch.count == 300)
            _ = try await database.psql("SELECT kiln.cancel(id) FROM kiln.job")
            for try await last in group { #expect(last == .cancelled) }
        }
        #expect(watch.count == 0)
        await queue.close()
        // Had each of them asked for itself, there would be a thousand at least.
        let spent = try await statements(of: database) - before
        #expect(spent < 500, "\(spent)")
    }

    /// Transactions in a database so far.
    private func statements(of database: TestDatabase) async throws -> Int {
        let text = try await database.psql(
            "\\t on\nSELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return Int(text.filter(\.isNumber)) ?? 0
    }
}

/// Counts what tasks do.
private final class Count: Sendable {
    private let value = Locked(0)
    func add() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
