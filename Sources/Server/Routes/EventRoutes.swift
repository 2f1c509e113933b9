import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue
import NIOCore
import ServiceLifecycle

/// Server-Sent Events of a job. https://html.spec.whatwg.org/multipage/server-sent-events.html
extension API {
    var eventRoutes: [Route] {
        [
            Route(
                method: .get, path: "/v1/jobs/{id}/events", name: "followJob",
                summary: "Follow a job as it comes along.",
                details: """
                    Server-Sent Events: `state` when its state or attempt has changed, `progress` when the handler has \
                    told something; the data of each is the job in a few words. The stream begins with the job as it \
                    is, and ends with the job. With the Last-Event-ID of a stream that broke off, it begins with what \
                    has changed since; once there is nothing more to come, the answer is 204, at which browsers stop.
                    """, group: "Jobs", scopes: [.read, .produce],
                parameters: [
                    Self.jobID,
                    .init(
                        name: "Last-Event-ID", place: .header, schema: Schemas.text,
                        summary: "The id of the last event that was seen."),
                ],
                replies: [
                    .init(
                        status: 200, summary: "The events.", schema: Schemas.text, type: "text/event-stream"),
                    .init(status: 204, summary: "The job is over, and its end was seen."),
                ]
            ) { request in
                let id = try request.jobID()
                guard let first = try await queue.glances(at: [id]).first else {
                    throw Problem.notFound("job \(id.text) does not exist")
                }
                let seen = request.raw.headers[text: "Last-Event-ID"]
                if first.state.isFinished, try EventText.id(of: first) == seen { return Answer.empty() }
                let place: StreamCount.Place
                switch streams.take(request.caller.subject) {
                case .place(let taken): place = taken
                case .full:
                    throw Problem.unavailable("too many streams of events are open", hint: "ask for the job instead")
                case .tooMany:
                    throw Problem(
                        429, "too_many_requests", "Too many requests",
                        "this caller has too many streams of events open",
                        hint: "ask for the job instead", headers: ["Retry-After": "10"])
                }
                var response = Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        defer { withExtendedLifetime(place) {} }
                        try await self.follow(id, seen: seen, request, &writer)
                    })
                response.headers[.contentType] = "text/event-stream"
                // Proxies keep an answer back until there is enough of it, unless told not to.
                response.headers[text: "X-Accel-Buffering"] = "no"
                return response
            }
        ]
    }

    private enum Happening: Sendable {
        case glance(JobGlance)
        case heartbeat
    }

    /// Writes what happens until the job is over, the client is gone, or the server stops.
    private func follow(
        _ id: JobID, seen: String?, _ request: APIRequest, _ writer: inout any ResponseBodyWriter
    ) async throws {
        let (happenings, feed) = AsyncThrowingStream<Happening, any Error>.makeStream(
            bufferingPolicy: .bufferingNewest(32))
        let (watch, heartbeat) = (watch, settings.limits.heartbeat)
        let isStillWelcome = request.caller.isStillWelcome
        let producer = Task {
            do {
                for try await glance in watch.glances(of: id) { feed.yield(.glance(glance)) }
                feed.finish()
            } catch {
                feed.finish(throwing: error)
            }
        }
        let pulse = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: heartbeat)
                // A token that was revoked meanwhile, or has expired, hears no more. A database that is away says nothing.
                guard (try? await isStillWelcome()) != false else { return feed.finish() }
                feed.yield(.heartbeat)
            }
        }
        defer {
            producer.cancel()
            pulse.cancel()
        }
        try await withGracefulShutdownHandler {
            try await request.raw.body.consumeWithInboundCloseHandler { _ in
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                var events = EventText(seen: seen)
                do {
                    for try await happening in happenings {
                        switch happening {
                        case .heartbeat: try await writer.write(ByteBuffer(string: ": still here\n\n"))
                        case .glance(let glance):
                            if let text = try events.text(of: glance) {
                                try await writer.write(ByteBuffer(string: text))
                            }
                        }
                    }
                } catch let error as QueueError {
                    let data = try Problem(error).json(requestID: "none").canonical()
                    try await writer.write(
                        ByteBuffer(string: "event: error\ndata: \(String(decoding: data, as: UTF8.self))\n\n"))
                }
                try await writer.finish(nil)
            } onInboundClosed: {
                feed.finish()
            }
        } onGracefulShutdown: {
            feed.finish()
        }
    }
}

/// Writes what is known of a job as events, each with an id that stands for it.
struct EventText {
    private var seen: String?
    private var last: JobGlance?

    /// - Parameter seen: the id of the event that the client has seen last.
    init(seen: String?) { self.seen = seen }

    /// The next event; nil if the client has seen it.
    mutating func text(of glance: JobGlance) throws -> String? {
        let id = try Self.id(of: glance)
        defer {
            seen = id
            last = glance
        }
        guard id != seen else { return nil }
        let isState = last.map { $0.state != glance.state || $0.attempt != glance.attempt } ?? true
        let data = try QueueJSON.encoder().encode(glance)
        return "event: \(isState ? "state" : "progress")\nid: \(id)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
    }

    /// The same wherever and whenever the job is in the same state, also from another server.
    static func id(of glance: JobGlance) throws -> String {
        let digest = SHA256.hash(data: try QueueJSON.encoder().encode(glance))
        return APIToken.hex(Array(Array(digest).prefix(8)))
    }
}
