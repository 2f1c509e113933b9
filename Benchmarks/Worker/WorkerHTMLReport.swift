/// The report as one HTML file that needs no other.
struct WorkerHTMLReport {
    let report: WorkerReport

    var text: String {
        HTMLReport.page(
            "Kiln's worker",
            """
            <p>What jobs took from the queue to the store, as a share of what another way took for the same jobs. Shorter is
            better; the line at 1.00 is the other way, and a notch marks a goal. Time is that of a job: it is half where twice as
            many are done in a minute.</p>
            \(RatioChart(report.cases.map(chartCase)).svg)
            \(report.cases.map(table).joined(separator: "\n"))
            """, method: report.method + report.lines)
    }

    /// What the chart shows of a case: time, CPU and memory against the other ways.
    private func chartCase(_ result: WorkerReport.Case) -> CaseReport {
        let comparisons = result.comparisons.map { comparison in
            CaseReport.Comparison(
                peer: comparison.against, equivalence: comparison.equivalence,
                ratios: comparison.ratios.compactMap(chartRatio))
        }
        return CaseReport(
            name: result.name.rawValue, title: result.title, mediaSeconds: 0, contestants: [], floors: [], floor: nil,
            comparisons: comparisons, notes: [])
    }

    private func chartRatio(_ ratio: WorkerReport.Ratio) -> CaseReport.Ratio? {
        switch ratio.metric {
        case .throughput: CaseReport.Ratio(metric: .wall, value: 1 / ratio.value, goal: ratio.goal.map { 1 / $0 })
        case .cpu: CaseReport.Ratio(metric: .cpu, value: ratio.value, goal: ratio.goal)
        case .memory: CaseReport.Ratio(metric: .memory, value: ratio.value, goal: ratio.goal)
        case .ownMemory, .wait95: nil
        }
    }

    private func table(_ result: WorkerReport.Case) -> String {
        let head = WorkerTableRow.header.map { "<th>\($0)</th>" }.joined()
        let rows = result.contestants.map { contestant in
            let cells = WorkerTableRow(contestant).cells.map(HTMLReport.escape)
            return "<tr><th scope=\"row\">\(cells[0])</th>\(cells.dropFirst().map { "<td>\($0)</td>" }.joined())</tr>"
        }
        let remarks = result.comparisons.map { "<p class=\"small\">\(HTMLReport.escape($0.text))</p>" }
        return """
            <h2>\(result.name.rawValue), \(result.jobs) jobs</h2>
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
