import FoundationEssentials
import JobQueue

/// Workflows for people to read.
enum WorkflowTable {
    static func list(_ workflows: [WorkflowInfo]) -> String {
        QueueText.table(
            ["ID", "NAME", "STATUS", "DONE", "DEAD", "CANCELLED", "CREATED", "FINISHED"],
            workflows.map { workflow in
                [
                    QueueText.id(workflow.id), QueueText.short(workflow.name, 40), workflow.status,
                    "\(workflow.succeeded)/\(workflow.total)", workflow.dead == 0 ? "" : "\(workflow.dead)",
                    workflow.cancelled == 0 ? "" : "\(workflow.cancelled)", QueueText.age(workflow.createdAt),
                    QueueText.age(workflow.finishedAt),
                ]
            }, rightAligned: [3, 4, 5], otherwise: "no workflows")
    }

    static func details(_ report: WorkflowReport) -> String {
        let workflow = report.workflow
        var facts = TextTable(indent: 0)
        facts.add("workflow", QueueText.id(workflow.id))
        facts.add("name", workflow.name)
        facts.add("status", workflow.status)
        facts.add(
            "jobs",
            "\(workflow.succeeded) of \(workflow.total) succeeded, \(workflow.dead) dead, \(workflow.cancelled) cancelled"
        )
        facts.add("created", "\(QueueText.age(workflow.createdAt)) by \(workflow.createdBy)")
        facts.add("finished", QueueText.age(workflow.finishedAt))
        if workflow.cancelRequestedAt != nil {
            facts.add(
                "cancelled by", "\(workflow.cancelBy ?? "somebody"): \(workflow.cancelReason ?? "no reason given")")
        }
        let nodes = QueueText.table(
            ["NODE", "KIND", "STATE", "ATTEMPT", "AFTER", "NOTE", "JOB"],
            report.nodes.map { node in
                [
                    QueueText.short(node.node ?? "", 40), node.kind, "\(node.state)",
                    "\(node.attempt)/\(node.maxAttempts)",
                    QueueText.short(node.after.joined(separator: ", "), 40), QueueText.short(note(node)),
                    QueueText.id(node.job),
                ]
            }, rightAligned: [3], otherwise: "no jobs")
        return facts.lines().joined(separator: "\n") + "\n\n" + nodes
    }

    /// What matters most about the state that it is in.
    private static func note(_ node: WorkflowNode) -> String? {
        switch node.state {
        case .blocked, .ready: nil
        case .scheduled: "runs \(QueueText.age(node.runAt))"
        case .running:
            [
                node.startedAt.map { "started \(QueueText.age($0))" },
                node.progress.map { "\(Figures.short($0 * 100, 1)) %" },
            ]
            .compactMap { $0 }.joined(separator: ", ")
        case .failed: "again \(QueueText.age(node.runAt)): \(node.error ?? node.reason ?? "")"
        case .succeeded: node.seconds.map { "took \(QueueText.length($0))" }
        case .cancelled: node.reason
        case .dead: node.error ?? node.reason
        }
    }
}
