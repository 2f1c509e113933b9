/// The report as lines for a terminal.
enum WorkerTextReport {
    static func lines(of result: WorkerReport.Case) -> [String] {
        let rows = [WorkerTableRow.header] + result.contestants.map { WorkerTableRow($0).cells }
        let widths = WorkerTableRow.header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let table = rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let filling = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + filling : filling + cell.0
            }
            return "  " + cells.joined(separator: "  ")
        }
        return ["\(result.name.rawValue), \(result.jobs) jobs: \(result.title)"] + table
            + result.comparisons.map { "  " + $0.text } + [""]
    }
}
