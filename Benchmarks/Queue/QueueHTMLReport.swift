/// The report as one HTML file that needs no other.
struct QueueHTMLReport {
    let report: QueueReport

    var text: String {
        HTMLReport.page(
            "Kiln's queue",
            """
            <p>Each figure stands beside its floor: the barest way of doing the same on the same server, measured in turn
            with it, or the same under plainer circumstances. The ratio is the figure's to its floor.</p>
            \(report.cases.map(table).joined(separator: "\n"))
            """, method: report.method + report.lines)
    }

    private func table(_ result: QueueReport.Case) -> String {
        let head = QueueTableRow.header.map { "<th>\($0)</th>" }.joined()
        let rows = result.figures.map { figure in
            let cells = QueueTableRow(figure).cells.map(HTMLReport.escape)
            return "<tr><th scope=\"row\">\(cells[0])</th>\(cells.dropFirst().map { "<td>\($0)</td>" }.joined())</tr>"
        }
        return """
            <h2>\(HTMLReport.escape(result.name))</h2>
            <p>\(HTMLReport.escape(result.title))</p>
            <div class="wide"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table></div>
            \(result.notes.map { "<p class=\"small\">\(HTMLReport.escape($0))</p>" }.joined(separator: "\n"))
            """
    }
}
