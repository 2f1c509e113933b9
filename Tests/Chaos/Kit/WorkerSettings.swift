import Foundation

/// What a worker process is told, as JSON in its arguments.
package struct WorkerSettings: Codable, Sendable {
    /// How its QueueWorker reaches the queue.
    package var url: String
    /// How its handlers reach the tables of the test: never through a proxy.
    package var recordURL: String
    package var name: String
    package var slots: Int
    /// Seconds.
    package var lease: Double

    package init(url: String, recordURL: String, name: String, slots: Int, lease: Double) {
        self.url = url
        self.recordURL = recordURL
        self.name = name
        self.slots = slots
        self.lease = lease
    }
}

/// The payload of every job: how long its work takes.
struct Work: Codable, Sendable {
    var milliseconds: Int = 0
}

/// What every job returns: the token of the claim under which it was worked out.
struct Outcome: Codable, Sendable {
    var token: Int64
}

/// The kinds of jobs that there are.
enum ChaosKind: String, CaseIterable, Sendable {
    case noop = "chaos.noop"
    /// Writes down its beginning and end, and waits in between.
    case write = "chaos.write"
    /// Keeps a thread of the cooperative pool busy.
    case spin = "chaos.spin"
    /// Does not stop when its task is cancelled.
    case deaf = "chaos.deaf"
    case steps = "chaos.steps"
    case node = "chaos.node"
    case limited = "chaos.limited"
    case keyed = "chaos.keyed"
    case rated = "chaos.rated"
    case unique = "chaos.unique"
    /// Takes its process down.
    case poison = "chaos.poison"
}
