/// The report as one HTML file that needs no other.
struct TransferHTMLReport {
    let report: TransferReport

    var text: String {
        HTMLReport.page(
            "Kiln's transfers",
            """
            <p>What streaming from one object to another took, as a share of what other ways took for the same work. Shorter
            is better; the line at 1.00 is the other way, and a notch marks a goal.</p>
            \(RatioChart(report.cases.map(chartCase)).svg)
            \(report.cases.map(table).joined(separator: "\n"))
            """, method: report.method + report.environment.lines)
    }

    /// What the chart shows of a case: time, CPU and memory against the ways that do the same.
    private func chartCase(_ result: TransferReport.Case) -> CaseReport {
        let comparisons = result.comparisons.compactMap { comparison -> CaseReport.Comparison? in
            let ratios = comparison.ratios.compactMap { ratio in
                Metric(rawValue: ratio.metric.rawValue).map {
                    CaseReport.Ratio(metric: $0, value: ratio.value, goal: ratio.goal)
                }
            }
            guard !ratios.isEmpty || comparison.equivalence?.holds == false else { return nil }
            return CaseReport.Comparison(
                peer: comparison.against,
                equivalence: comparison.equivalence ?? CaseReport.Equivalence(holds: true, text: ""), ratios: ratios)
        }
        return CaseReport(
            name: result.name, title: result.title, mediaSeconds: 0, contestants: [], floors: [], floor: nil,
            comparisons: comparisons, notes: [])
    }

    private func table(_ result: TransferReport.Case) -> String {
        let head = TransferTableRow.header.map { "<th>\($0)</th>" }.joined()
        let rows = result.contestants.map { contestant in
            let cells = TransferTableRow(contestant).cells.map(HTMLReport.escape)
            return "<tr><th scope=\"row\">\(cells[0])</th>\(cells.dropFirst().map { "<td>\($0)</td>" }.joined())</tr>"
        }
        let remarks = (result.comparisons.map(\.text) + result.notes).map {
            "<p class=\"small\">\(HTMLReport.escape($0))</p>"
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
            \(remarks.joined(separator: "\n"))
            """
    }
}
