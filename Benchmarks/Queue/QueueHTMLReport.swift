/// The report as one HTML file that needs no other.
struct QueueHTMLReport {
    let report: QueueReport

    var text: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Kiln's queue</title>
        <style>
        \(HTMLReport.style)
        </style>
        </head>
        <body>
        <main>
        <h1>Kiln's queue</h1>
        <p>Each figure stands beside its floor: the barest way of doing the same on the same server, measured in turn
        with it, or the same under plainer circumstances. The ratio is the figure's to its floor.</p>
        \(report.cases.map(table).joined(separator: "\n"))
        <h2>How it was measured</h2>
        \((report.method + report.lines).map { "<p>\(HTMLReport.escape($0))</p>" }.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
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
