import JobQueue
import Transfer

/// What handlers of routes need, and the table of all of these.
struct API: Sendable {
    let queue: QueueClient
    let settings: ServerSettings
    let watch: JobWatch
    let idempotency: Idempotency
    let streams: StreamCount
    let jobs: JobBody

    init(_ queue: QueueClient, _ settings: ServerSettings) {
        self.queue = queue
        self.settings = settings
        watch = JobWatch(queue)
        idempotency = Idempotency(queue, schema: settings.schema)
        streams = StreamCount(limit: settings.limits.eventStreams)
        jobs = JobBody(settings.kinds, reserved: settings.reservedKinds)
    }

    /// Every route of the API. The document of them is one of them.
    var table: RouteTable {
        let routes =
            jobRoutes + jobChangeRoutes + eventRoutes + workflowRoutes + storeRoutes + queueRoutes + scheduleRoutes
            + hookRoutes + callRoutes + videoRoutes + folderRoutes + probeRoutes
        return RouteTable(routes + documentRoutes(of: routes))
    }

    /// A parameter of the path that is a job's id.
    static let jobID = Route.Parameter(name: "id", place: .path, schema: Schemas.uuid, summary: "The job's id.")

    /// The problem of something that a new job refers to: the path itself is there.
    static func refusingUnknown<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as QueueError where error.code == .notFound {
            throw Problem(422, "invalid", "The values are not acceptable", error.message, hint: error.hint)
        }
    }
}
