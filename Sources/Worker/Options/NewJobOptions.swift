import ArgumentParser
import FoundationEssentials
import JobQueue

/// How long a key stays taken.
enum UniqueScopeName: String, ExpressibleByArgument, CaseIterable {
    case waiting, unfinished, period
}

/// What may be said about a job besides its kind, payload and time; of one to come as well.
struct NewJobOptions: ParsableArguments {
    @Option(help: "Its queue (default: its kind's).")
    var queue: String?
    @Option(parsing: .unconditional, help: "Higher runs first.")
    var priority: Int?
    @Option(help: "How often it is tried at most.")
    var maxAttempts: Int?
    @Option(help: "How long an attempt may take, such as 90s, 5m or 1h30m.")
    var timeout: Span?
    @Option(help: "Of jobs of a kind with the same key there is one.")
    var uniqueKey: String?
    @Option(help: "How long the key is taken: waiting, unfinished or period (default: unfinished).")
    var uniqueScope: UniqueScopeName?
    @Option(help: "For the scope period: how long, such as 1h.")
    var uniquePeriod: Span?
    @Option(help: "If the key is taken: keep the job that has it, or replace its payload.")
    var onDuplicate: Unique.OnDuplicate?
    @Option(help: "Jobs of a key, a tenant say, take turns with those of others.")
    var concurrencyKey: String?
    @Option(help: "Cores that it needs, such as 0.5.")
    var cores: Double?
    @Option(help: "Bytes of memory that it needs, such as 500M.")
    var memory: Quantity?
    @Option(help: "Anything else to keep with it: JSON, or @FILE.")
    var metadata: String?

    mutating func validate() throws {
        if uniqueKey == nil, uniqueScope != nil || uniquePeriod != nil || onDuplicate != nil {
            throw ValidationError("--unique-scope, --unique-period and --on-duplicate need --unique-key.")
        }
        if (uniqueScope == .period) != (uniquePeriod != nil), uniqueScope != nil || uniquePeriod == nil {
            throw ValidationError("--unique-scope period and --unique-period go together.")
        }
    }

    func options() throws -> EnqueueOptions {
        var options = EnqueueOptions(
            queue: queue, priority: priority, maxAttempts: maxAttempts, timeout: timeout?.value,
            concurrencyKey: concurrencyKey, cores: cores, memory: memory?.value)
        if let uniqueKey {
            let scope: Unique.Scope =
                if let uniquePeriod { .period(uniquePeriod.value) } else if uniqueScope == .waiting { .waiting } else {
                    .unfinished
                }
            options.unique = Unique(uniqueKey, scope: scope, onDuplicate: onDuplicate ?? .keep)
        }
        if let metadata { options.metadata = try JSONArgument.read(metadata, name: "--metadata").decode() }
        return options
    }
}
