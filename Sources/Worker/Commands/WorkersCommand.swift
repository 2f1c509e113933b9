import ArgumentParser
import JobQueue

struct WorkersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers", abstract: "List the workers of the last day.")
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await database.answer {
            try await $0.workers()
        } text: { workers in
            QueueText.table(
                ["NAME", "STATE", "RUNNING", "SLOTS", "QUEUES", "STARTED", "RENEWED", "VERSION", "ID"],
                workers.map { worker in
                    [
                        worker.name, worker.state, "\(worker.running)", worker.slots.map { "\($0)" } ?? "",
                        QueueText.short(worker.queues.joined(separator: ","), 40), QueueText.age(worker.startedAt),
                        QueueText.age(worker.renewedAt), worker.version ?? "", QueueText.id(worker.id),
                    ]
                }, rightAligned: [2, 3], otherwise: "no workers")
        }
    }
}

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Tell how the queue as a whole is doing.")
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        try await database.answer {
            try await $0.health()
        } text: { health in
            var table = TextTable(indent: 0)
            table.add(["ready", "\(health.ready)"])
            table.add(["oldest ready", health.oldestReadySeconds.map { QueueText.length($0) } ?? "none"])
            table.add(["running", "\(health.running)"])
            table.add(["dead", "\(health.dead)"])
            let expired = health.workersExpired > 0 ? ", \(health.workersExpired) expired" : ""
            table.add(["workers", "\(health.workersAlive) alive\(expired)"])
            table.add(["oldest transaction", QueueText.length(health.oldestTransactionSeconds)])
            table.add(["horizon", health.horizonAge.map { "\($0) transactions" } ?? ""])
            table.add(["rows", "\(health.liveRows) live, \(health.deadRows) dead"])
            table.add([
                "size", "\(Figures.bytes(health.tableBytes)) and \(Figures.bytes(health.indexBytes)) of indexes",
            ])
            table.add(["last autovacuum", QueueText.age(health.lastAutovacuum)])
            return table.lines().joined(separator: "\n")
        }
    }
}
