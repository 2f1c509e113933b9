import Foundation

/// Writes jobs as the JSON that `enqueue_many`, `enqueue_workflow` and `schedule` read. Payloads are put in as they
/// are, byte by byte.
struct JobText {
    private(set) var bytes = Data()
    private var needsComma = false

    /// The array of jobs for `enqueue_many`.
    ///
    /// - Parameter first: the number of the first, for messages.
    /// - Throws: `badRequest`.
    static func array(_ jobs: some Collection<NewJob>, first: Int) throws(QueueError) -> PostgresJSON {
        var text = JobText()
        text.bytes.append(UInt8(ascii: "["))
        var number = first
        for job in jobs {
            if number > first { text.bytes.append(UInt8(ascii: ",")) }
            text.open()
            try text.add(job, named: "job \(number) (\(job.kind.debugDescription))")
            text.close()
            number += 1
        }
        text.bytes.append(UInt8(ascii: "]"))
        return PostgresJSON(text.bytes)
    }

    /// The array of one job for `worker_spawn`.
    ///
    /// - Parameter node: the job's name in the workflow.
    /// - Throws: `badRequest`.
    static func spawned(_ job: NewJob, node: String?) throws(QueueError) -> PostgresJSON {
        var text = JobText()
        text.bytes.append(UInt8(ascii: "["))
        text.open()
        let what = "the job (\(job.kind.debugDescription))"
        try text.add(job, named: what)
        try text.add("node", node, of: what)
        text.close()
        text.bytes.append(UInt8(ascii: "]"))
        return PostgresJSON(text.bytes)
    }

    /// The argument of `enqueue_workflow`.
    ///
    /// - Throws: `badRequest`.
    static func workflow(_ request: WorkflowRequest) throws(QueueError) -> PostgresJSON {
        var text = JobText()
        text.open()
        try text.add("name", request.name, of: "the workflow")
        if let metadata = request.metadata { text.add("metadata", try RawJSON(encoding: metadata, of: "metadata")) }
        text.key("nodes")
        text.bytes.append(UInt8(ascii: "["))
        for (index, (name, node)) in request.jobs.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { text.bytes.append(UInt8(ascii: ",")) }
            let what = "node \(name.debugDescription)"
            text.open()
            try text.add("node", name, of: what)
            try text.add(node.job, named: what)
            if !node.after.isEmpty {
                let parents = node.after.map { parent -> JSONValue in
                    guard let policy = parent.onFailure else { return .string(parent.name) }
                    return ["node": .string(parent.name), "on_failure": .string(policy.rawValue)]
                }
                text.add("after", try RawJSON(encoding: parents, of: "after of \(what)"))
            }
            text.close()
        }
        text.bytes.append(UInt8(ascii: "]"))
        text.close()
        return PostgresJSON(text.bytes)
    }

    /// The options of a schedule.
    static func options(_ options: EnqueueOptions) throws(QueueError) -> PostgresJSON {
        var text = JobText()
        text.open()
        try text.add(options, of: "the schedule")
        text.close()
        return PostgresJSON(text.bytes)
    }

    private mutating func add(_ job: NewJob, named what: String) throws(QueueError) {
        try add("kind", job.kind, of: what)
        add("payload", try RawJSON(encoding: job.payload, of: "the payload of \(what)"))
        try add(job.options, of: what)
    }

    private mutating func add(_ options: EnqueueOptions, of what: String) throws(QueueError) {
        try add("queue", options.queue, of: what)
        add("priority", options.priority)
        try add("run_at", options.runAt.map(QueueJSON.text(of:)), of: what)
        add("max_attempts", options.maxAttempts)
        try add("timeout", options.timeout?.intervalText, of: what)
        if let unique = options.unique {
            try add("unique_key", unique.key, of: what)
            try add("unique_scope", unique.scopeName, of: what)
            try add("unique_period", unique.period?.intervalText, of: what)
            try add("on_duplicate", unique.onDuplicate.rawValue, of: what)
        }
        try add("concurrency_key", options.concurrencyKey, of: what)
        if !options.dependsOn.isEmpty {
            let ids = options.dependsOn.map { "\"\($0.uuidString)\"" }.joined(separator: ",")
            add("depends_on", RawJSON("[\(ids)]"))
        }
        try add("on_parent_failure", options.onParentFailure?.rawValue, of: what)
        try add("workflow", options.workflow?.uuidString, of: what)
        if let cores = options.cores {
            // JSON has no infinity; as text the database refuses it with a sentence.
            if cores.isFinite { add("cores", cores) } else { try add("cores", cores.postgresText, of: what) }
        }
        add("memory", options.memory)
        if let metadata = options.metadata {
            add("metadata", try RawJSON(encoding: metadata, of: "the metadata of \(what)"))
        }
    }

    private mutating func open() {
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    private mutating func close() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    private mutating func key(_ name: StaticString) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        bytes.append(contentsOf: "\"\(name)\":".utf8)
    }

    private mutating func add(_ name: StaticString, _ value: RawJSON) {
        key(name)
        bytes.append(value.bytes)
    }

    private mutating func add(_ name: StaticString, _ value: (some CustomStringConvertible)?) {
        guard let value else { return }
        key(name)
        bytes.append(contentsOf: value.description.utf8)
    }

    private mutating func add(_ name: StaticString, _ value: String?, of what: String) throws(QueueError) {
        guard let value else { return }
        key(name)
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case 0: throw .nul(in: "\(name) of \(what)")
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case ..<0x20:
                let digits = String(byte, radix: 16)
                bytes.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension Duration {
    /// As Postgres reads an interval, whatever its settings.
    var intervalText: String {
        let (seconds, attoseconds) = components
        return "\(seconds) seconds \(attoseconds / 1_000_000_000_000) microseconds"
    }
}
