/// The report as lines for a terminal.
enum TransferTextReport {
    static func header(_ report: TransferReport) -> [String] {
        TextReport.header(
            Report(method: report.method, environment: report.environment, peers: report.peers))
    }

    static func lines(of result: TransferReport.Case) -> [String] {
        let rows = [TransferTableRow.header] + result.contestants.map { TransferTableRow($0).cells }
        let widths = TransferTableRow.header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let table = rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let filling = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + filling : filling + cell.0
            }
            return "  " + cells.joined(separator: "  ")
        }
        let comparisons = result.comparisons.map { "  " + $0.text }
        return ["\(result.name): \(result.title)"] + table + comparisons + result.notes.map { "  \($0)" } + [""]
    }
}
