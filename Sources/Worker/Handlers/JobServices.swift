import FoundationEssentials
import JobQueue
import Transfer

/// What handlers work with. One for a process.
struct JobServices: Sendable {
    let configuration: WorkerConfiguration
    /// Where inputs and outputs are.
    let stores: Stores
    /// For requests to the app and its customers, through the guard.
    let client: HTTPClient
    /// For what goes beyond a running job's own calls: uploads under way, names that are taken.
    let queue: QueueClient
    /// Who listens to calls.
    var callEngines = CallEngines.standard

    /// Says that a job has started, if its payload wants that to be said.
    ///
    /// - Throws: `leaseLost` if the job is somebody else's by now.
    func reportStart(of job: JobContext) async throws {
        struct Envelope: Decodable {
            var webhook: JSONValue?
        }
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: job.payloadJSON),
            let webhook = envelope.webhook, webhook != .null
        else { return }
        guard try await queue.reportStarted(job.id, token: job.token) else {
            throw QueueError(.leaseLost, "job \(job.id.uuidString.lowercased()) is no longer this worker's")
        }
    }
}
