import FoundationEssentials

/// What the commands of the queue print.
enum QueueText {
    static func id(_ id: UUID) -> String { id.uuidString.lowercased() }

    /// "3 min ago", "in 2 h", "now".
    static func age(_ date: Date?, now: Date = .now) -> String {
        guard let date else { return "" }
        if date == .distantFuture { return "never" }
        let seconds = now.timeIntervalSince(date)
        if abs(seconds) < 1 { return "now" }
        return seconds > 0 ? "\(length(seconds)) ago" : "in \(length(-seconds))"
    }

    /// One unit, as a person would say it: "0.4 s", "12 s", "3 min", "5 h", "2 d".
    static func length(_ seconds: Double?) -> String {
        guard let seconds else { return "" }
        switch seconds {
        case ..<10: return "\(Figures.short(seconds, 1)) s"
        case ..<99.5: return "\(Figures.fixed(seconds, 0)) s"
        case ..<5970: return "\(Figures.fixed(seconds / 60, 0)) min"
        case ..<171_000: return "\(Figures.fixed(seconds / 3600, 0)) h"
        default: return "\(Figures.fixed(seconds / 86_400, 0)) d"
        }
    }

    /// A table with a head, or `otherwise` where it has no rows.
    static func table(
        _ head: [String], _ rows: [[String]], rightAligned: Set<Int> = [], otherwise: String
    ) -> String {
        guard !rows.isEmpty else { return otherwise }
        var table = TextTable(indent: 0, rightAligned: rightAligned)
        table.add(head)
        for row in rows { table.add(row) }
        return table.lines(hasHead: true).joined(separator: "\n")
    }

    /// Long text cut short for a table.
    static func short(_ text: String?, _ limit: Int = 60) -> String {
        guard let text else { return "" }
        return text.count <= limit ? text : text.prefix(limit - 1) + "…"
    }
}
