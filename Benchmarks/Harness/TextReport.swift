import FoundationEssentials
import MediaKit

/// The report as lines for a terminal.
enum TextReport {
    static func header(_ report: Report) -> [String] {
        var lines = report.environment.lines
        for peer in report.peers { lines.append("Peer: \(peer.name), \(peer.path)") }
        if report.peers.isEmpty { lines.append("No peer: there is no ffmpeg in PATH, and --peer names none.") }
        return lines + [""] + report.method.flatMap { wrap($0) } + [""]
    }

    static func lines(of result: CaseReport) -> [String] {
        var lines = ["\(result.name): \(result.title)"]
        let width = max(22, result.contestants.map(\.name.count).max() ?? 0)
        func pad(_ text: String) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
        lines.append("  \(pad(""))   CPU s  time s  peak MB  read MB   speed")
        for one in result.contestants {
            let run = one.median
            let speed = result.mediaSeconds > 0 ? (result.mediaSeconds / run.wallSeconds).fixed(1, width: 6) + "×" : ""
            lines.append(
                "  \(pad(one.name)) \(run.cpuSeconds.fixed(3, width: 7)) \(run.wallSeconds.fixed(3, width: 7))"
                    + " \((Double(run.peakBytes) / 1e6).fixed(1, width: 8))"
                    + " \((Double(run.bytesRead) / 1e6).fixed(2, width: 8)) \(speed)")
        }
        if let floor = result.floor {
            lines.append(
                "  \(pad("x264 alone")) \(floor.encodeCPU.fixed(3, width: 7)) \(floor.encodeWall.fixed(3, width: 7))")
            lines.append("  " + steps(floor))
        }
        for comparison in result.comparisons { lines += self.lines(of: comparison) }
        lines += result.notes.map { "  \($0)" }
        return lines + [""]
    }

    /// The steps before the encoder, of ours.
    static func steps(_ floor: EncodeFloor) -> String {
        let captions = floor.captionCPU > 0 ? ", captions \(floor.captionCPU.fixed(3))" : ""
        return "before x264, each on one thread: decode \(floor.decodeCPU.fixed(3)),"
            + " filters \(floor.filterCPU.fixed(3))\(captions) CPU s"
    }

    private static func lines(of comparison: CaseReport.Comparison) -> [String] {
        guard comparison.equivalence.holds else {
            return ["  no ratio to \(comparison.peer): the outputs differ (\(comparison.equivalence.text))"]
        }
        let ratios = comparison.ratios.map { ratio in
            let value = "\(ratio.metric.title) \(ratio.value.fixed(2))"
            guard let goal = ratio.goal, let isMet = ratio.isMet else { return value }
            return "\(value) (goal ≤ \(goal.fixed(2)): \(isMet ? "met" : "missed"))"
        }
        return [
            "  ours / \(comparison.peer): \(ratios.joined(separator: ", "))",
            "  outputs alike: \(comparison.equivalence.text)",
        ]
    }

    private static func wrap(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count > 100 { lines.append(" ") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
