/// The report as lines for a terminal.
enum QueueTextReport {
    static func lines(of result: QueueReport.Case) -> [String] {
        let rows = [QueueTableRow.header] + result.figures.map { QueueTableRow($0).cells }
        let widths = QueueTableRow.header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let table = rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let filling = String(repeating: " ", count: cell.1 - cell.0.count)
                // Words to the left, numbers to the right.
                return column == 0 || column == 6 ? cell.0 + filling : filling + cell.0
            }
            var line = "  " + cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        return ["\(result.name): \(result.title)"] + table + result.notes.map { "  \($0)" } + [""]
    }
}
