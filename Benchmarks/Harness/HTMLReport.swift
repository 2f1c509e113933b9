import FoundationEssentials
import MediaKit

/// The report as one HTML file that needs no other: a chart of the ratios, and the figures behind it.
struct HTMLReport {
    private let report: Report

    init(_ report: Report) { self.report = report }

    var text: String {
        Self.page(
            "Kiln against ffmpeg",
            """
            <p>What Kiln took, as a share of what the <code>ffmpeg</code> command took for the same work with the same
            settings. Shorter is better; the line at 1.00 is ffmpeg, and a notch marks a goal.</p>
            \(RatioChart(report.cases).svg)
            \(report.cases.map(table).joined(separator: "\n"))
            """, method: report.method + report.environment.lines)
    }

    /// A whole page.
    ///
    /// - Parameters:
    ///   - content: HTML behind the title.
    ///   - method: sentences on how it was measured, as plain text.
    static func page(_ title: String, _ content: String, method: [String]) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <style>
        \(style)
        </style>
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        \(content)
        <h2>How it was measured</h2>
        \(method.map { "<p>\(escape($0))</p>" }.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    private func table(_ result: CaseReport) -> String {
        var rows = result.contestants.map { one in
            let run = one.median
            let speed = result.mediaSeconds > 0 ? (result.mediaSeconds / run.wallSeconds).fixed(1) + "×" : ""
            return row([
                one.name, seconds(run.cpuSeconds), seconds(run.wallSeconds), megabytes(run.peakBytes),
                megabytes(run.bytesRead), speed,
            ])
        }
        if let floor = result.floor {
            rows.append(row(["x264 alone", seconds(floor.encodeCPU), seconds(floor.encodeWall), "", "", ""]))
        }
        let outcome = result.comparisons.map { comparison in
            let verdict = comparison.equivalence.holds ? "outputs alike" : "no ratio, outputs differ"
            return
                "<p class=\"small\">\(Self.escape("\(comparison.peer): \(verdict): \(comparison.equivalence.text)"))</p>"
        }
        let notes = result.notes.map { "<p class=\"small\">\(Self.escape($0))</p>" }
        return """
            <h2>\(Self.escape(result.name))</h2>
            <p>\(Self.escape(result.title))</p>
            <div class="wide"><table>
            <thead><tr><th></th><th>CPU s</th><th>time s</th><th>peak MB</th><th>read MB</th><th>speed</th></tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table></div>
            \((outcome + notes).joined(separator: "\n"))
            """
    }

    private func row(_ cells: [String]) -> String {
        let rest = cells.dropFirst().map { "<td>\(Self.escape($0))</td>" }.joined()
        return "<tr><th scope=\"row\">\(Self.escape(cells[0]))</th>\(rest)</tr>"
    }

    private func seconds(_ value: Double) -> String { value.fixed(3) }
    private func megabytes(_ bytes: Int64) -> String { (Double(bytes) / 1e6).fixed(1) }

    static func escape(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
    }

    static let style = """
        :root {
          color-scheme: light dark;
          --paper: #fff; --ink: #1d2329; --soft: #5b6570; --rule: #d8dde2;
          --cpu: #c2410c; --wall: #0e7490; --memory: #6d4fc2; --goal: #1d2329;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14181c; --ink: #e8ecef; --soft: #9aa5af; --rule: #333b43;
            --cpu: #f08a4b; --wall: #4fb3cf; --memory: #a892f0; --goal: #fff;
          }
        }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 860px; margin: 0 auto; padding: 24px 20px 60px; }
        h1 { font-size: 26px; margin: 8px 0; }
        h2 { font-size: 18px; margin: 36px 0 4px; }
        p { margin: 6px 0; }
        .small { color: var(--soft); font-size: 14px; }
        .wide { overflow-x: auto; }
        svg { width: 100%; height: auto; margin: 16px 0; }
        svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
        svg .soft { fill: var(--soft); }
        svg .title { font-size: 15px; font-weight: 600; }
        svg .line { stroke: var(--rule); } svg .one { stroke: var(--ink); } svg .goal { stroke: var(--goal); }
        svg .cpu { fill: var(--cpu); } svg .wall { fill: var(--wall); } svg .memory { fill: var(--memory); }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--rule); }
        th { font-weight: 500; color: var(--soft); }
        tbody th, thead th:first-child { text-align: left; color: var(--ink); padding-left: 0; }
        """
}
