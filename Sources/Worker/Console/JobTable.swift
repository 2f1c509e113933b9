import FoundationEssentials
import JobQueue

/// Jobs for people to read.
enum JobTable {
    static func list(_ jobs: [JobInfo], otherwise: String) -> String {
        QueueText.table(
            ["ID", "KIND", "QUEUE", "STATE", "PRIO", "ATTEMPT", "CREATED", "NOTE"],
            jobs.map { job in
                [
                    QueueText.id(job.id), job.kind, job.queue == job.kind ? "" : job.queue, "\(job.state)",
                    job.priority == 0 ? "" : "\(job.priority)", "\(job.attempt)/\(job.maxAttempts)",
                    QueueText.age(job.createdAt), QueueText.short(note(job)),
                ]
            }, rightAligned: [4, 5], otherwise: otherwise)
    }

    /// What matters most about the state that it is in.
    static func note(_ job: JobInfo) -> String? {
        switch job.state {
        case .blocked: "waits for its parents"
        case .scheduled: "runs \(QueueText.age(job.runAt))"
        case .ready: nil
        case .running:
            job.cancelRequestedAt == nil
                ? "started \(QueueText.age(job.startedAt ?? job.claimedAt))" : "is being cancelled"
        case .failed: "again \(QueueText.age(job.runAt)): \(job.errors?.last?.message ?? job.reason ?? "")"
        case .succeeded: job.seconds.map { "took \(QueueText.length($0))" }
        case .cancelled: job.reason
        case .dead: job.errors?.last?.message ?? job.reason
        }
    }

    /// What has changed, on a line.
    static func line(_ job: JobInfo, after last: JobInfo?) -> String {
        var parts: [String] = []
        if job.state != last?.state || job.attempt != last?.attempt {
            parts.append("\(job.state)")
            if job.attempt > 0 { parts.append("attempt \(job.attempt) of \(job.maxAttempts)") }
            if let note = note(job) { parts.append(note) }
        }
        if let progress = job.progress, progress != last?.progress { parts.append(text(progress)) }
        let steps = (job.steps ?? []).filter { step in last?.steps?.contains(step) != true }
        parts += steps.map { "step \($0.name) \($0.status)" }
        return (parts.isEmpty ? "\(job.state)" : parts.joined(separator: ", ")).printable
    }

    static func details(_ job: JobInfo) -> String {
        var facts = TextTable(indent: 0)
        facts.add("job", QueueText.id(job.id))
        facts.add("kind", job.kind)
        facts.add("queue", job.queue)
        facts.add("state", "\(job.state)")
        facts.add("note", note(job))
        facts.add("progress", job.progress.map(text))
        facts.add("attempts", "\(job.attempt) of \(job.maxAttempts)")
        if job.crashes > 0 { facts.add("crashes", "\(job.crashes)") }
        facts.add("priority", "\(job.priority)")
        facts.add("created", "\(QueueText.age(job.createdAt)) by \(job.createdBy)")
        if !job.state.isFinished { facts.add("runs", QueueText.age(job.runAt)) }
        facts.add("started", QueueText.age(job.startedAt))
        facts.add("finished", QueueText.age(job.finishedAt))
        if job.state != .succeeded { facts.add("took", QueueText.length(job.seconds)) }
        facts.add("timeout", QueueText.length(job.timeoutSeconds))
        facts.add("weight", "\(Figures.short(job.cores)) cores, \(Figures.bytes(job.memory))")
        facts.add("worker", job.worker.map(QueueText.id))
        facts.add("unique key", job.uniqueKey)
        facts.add("concurrency key", job.concurrencyKey)
        facts.add("workflow", job.workflow.map(QueueText.id))
        facts.add("node", job.node)
        facts.add("parents", job.parents.map { $0.map(QueueText.id).joined(separator: ", ") })
        facts.add("last change", job.reason.map { "\($0), by \(job.changedBy ?? "somebody")" })
        facts.add("payload", job.payload.map { QueueText.short($0.text, 2000) })
        facts.add("result", job.result.map { QueueText.short($0.text, 2000) })
        facts.add("metadata", job.metadata.map { QueueText.short($0.text, 2000) })
        var lines = facts.lines()

        if let steps = job.steps, !steps.isEmpty {
            var table = TextTable()
            for step in steps {
                table.add([
                    "\(step.seq)", step.name, step.status,
                    QueueText.length(step.finishedAt?.timeIntervalSince(step.startedAt)),
                ])
            }
            lines += ["", "Steps"] + table.lines()
        }
        if let errors = job.errors, !errors.isEmpty {
            lines += ["", "Attempts that did not succeed"]
            for attempt in errors {
                let worker = attempt.worker.map { " on \($0)" } ?? ""
                let took = attempt.seconds.map { ", after \(QueueText.length($0))" } ?? ""
                let number = attempt.attempt.map { "attempt \($0) " } ?? ""
                lines.append(
                    "  \(number)\(attempt.outcome ?? "failed") \(QueueText.age(attempt.startedAt))\(worker)\(took)"
                        .printable)
                if let message = attempt.message ?? attempt.code { lines.append("    \(message.printable)") }
                if case .array(let log) = attempt.log {
                    lines += log.compactMap(\.string).map { "    | \($0.printable)" }
                }
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ progress: ProgressInfo) -> String {
        let percent = progress.fraction.map { "\(Figures.short($0 * 100, 1)) %" }
        return [percent, progress.phase, progress.message].compactMap { $0 }.joined(separator: " ")
    }
}
