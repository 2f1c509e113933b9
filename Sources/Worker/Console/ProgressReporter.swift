import MediaKit
import Synchronization

/// Shows on standard error how far a job has come.
///
/// Thread safety: all members may be used from any thread.
final class ProgressReporter: Sendable {
    private enum Style {
        case bar, json, none
    }

    private let style: Style
    private let console: Console
    private let isDrawn = Mutex(false)

    init(_ mode: ProgressMode, console: Console = .error) {
        self.console = console
        style =
            switch mode {
            case .auto: console.isTerminal ? .bar : .none
            case .bar: .bar
            case .json: .json
            case .none: .none
            }
    }

    /// What the engine calls.
    var callback: (@Sendable (Progress) -> Void)? {
        if style == .none { return nil }
        return { [self] progress in show(progress) }
    }

    /// Removes the bar, so that what is printed next stands alone.
    func finish() {
        isDrawn.withLock { drawn in
            if drawn { console.write("\r\u{1B}[K") }
            drawn = false
        }
    }

    private func show(_ progress: Progress) {
        isDrawn.withLock { drawn in
            switch style {
            case .bar:
                // The last column stays free: some terminals wrap as soon as it is filled.
                console.write("\r\(ProgressBar.line(progress, width: console.width - 1))\u{1B}[K")
                drawn = true
            case .json:
                if let line = try? JSONText.line(progress) { console.write(line + "\n") }
            case .none: break
            }
        }
    }
}

/// The one line that is redrawn.
enum ProgressBar {
    /// - Parameter width: columns that it may take.
    static func line(_ progress: Progress, width: Int) -> String {
        var facts = [Figures.clock(progress.position, digits: 1), "\(Figures.fixed(progress.speed, 1))×"]
        if progress.framesPerSecond > 0 { facts.append("\(Figures.fixed(progress.framesPerSecond, 0)) fps") }
        if let eta = progress.eta { facts.append("ETA \(Figures.clock(eta, digits: 0))") }
        guard let fraction = progress.fraction else { return fitted(facts, "", width) }
        let bounded = min(1, max(0, fraction))
        let percent = Figures.fixed(bounded * 100, 1)
        facts.insert(String(repeating: " ", count: max(0, 5 - percent.count)) + percent + " %", at: 0)
        // What the facts leave, within reason.
        let room = min(40, width - facts.joined(separator: "  ").count - 4)
        guard room >= 8 else { return fitted(facts, "", width) }
        let filled = Int((Double(room) * bounded).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        return fitted(facts, "\(bar)  ", width)
    }

    /// Leaves out the last facts until the rest fits.
    private static func fitted(_ facts: [String], _ bar: String, _ width: Int) -> String {
        var facts = facts
        while facts.count > 1, bar.count + facts.joined(separator: "  ").count > width { facts.removeLast() }
        return String((bar + facts.joined(separator: "  ")).prefix(max(0, width)))
    }
}
