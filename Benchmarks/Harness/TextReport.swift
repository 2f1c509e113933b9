import Foundation
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
        func pad(_ text: String) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
        lines.append("  \(pad(""))   CPU s  time s  peak MB  read MB   speed")
        for one in result.contestants {
            let run = one.median
            let speed = result.mediaSeconds > 0 ? String(format: "%6.1f×", result.mediaSeconds / run.wallSeconds) : ""
            lines.append(
                "  \(pad(one.name)) "
                    + String(
                        format: "%7.3f %7.3f %8.1f %8.2f ", run.cpuSeconds, run.wallSeconds,
                        Double(run.peakBytes) / 1e6, Double(run.bytesRead) / 1e6) + speed)
        }
        if let floor = result.floor {
            lines.append("  \(pad("x264 alone")) " + String(format: "%7.3f %7.3f", floor.encodeCPU, floor.encodeWall))
            lines.append("  " + steps(floor))
        }
        for comparison in result.comparisons { lines += self.lines(of: comparison) }
        lines += result.notes.map { "  \($0)" }
        return lines + [""]
    }

    /// The steps before the encoder, of ours.
    static func steps(_ floor: EncodeFloor) -> String {
        let captions = floor.captionCPU > 0 ? String(format: ", captions %.3f", floor.captionCPU) : ""
        return String(
            format: "before x264, each on one thread: decode %.3f, filters %.3f", floor.decodeCPU, floor.filterCPU)
            + captions + " CPU s"
    }

    private static func lines(of comparison: CaseReport.Comparison) -> [String] {
        guard comparison.equivalence.holds else {
            return ["  no ratio to \(comparison.peer): the outputs differ (\(comparison.equivalence.text))"]
        }
        let ratios = comparison.ratios.map { ratio in
            let value = String(format: "%@ %.2f", ratio.metric.title, ratio.value)
            guard let goal = ratio.goal, let isMet = ratio.isMet else { return value }
            return value + String(format: " (goal ≤ %.2f: %@)", goal, isMet ? "met" : "missed")
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
