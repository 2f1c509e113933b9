import FoundationEssentials

/// Bars of ours against each peer's CPU, time and memory, as inline SVG. Colours come from the page's style sheet.
struct RatioChart {
    private struct Bar {
        var metric: Metric
        var value: Double
        var goal: Double?
    }

    private struct Group {
        var title: String
        var peer: String
        var bars: [Bar]
        /// Said instead of bars.
        var remark: String?
    }

    private static let width = 820.0
    private static let left = 150.0
    private static let right = 70.0
    private static let row = 20.0
    private let groups: [Group]
    /// The ratio at the right end.
    private let end: Double

    init(_ cases: [CaseReport]) {
        groups = cases.flatMap { one in
            one.comparisons.enumerated().map { index, comparison in
                Group(
                    title: index == 0 ? one.name : "", peer: comparison.peer,
                    bars: comparison.ratios.filter { [.cpu, .wall, .memory].contains($0.metric) }
                        .map { Bar(metric: $0.metric, value: $0.value, goal: $0.goal) },
                    remark: comparison.equivalence.holds ? nil : "no ratio: the outputs differ")
            }
        }
        let largest = groups.flatMap(\.bars).map(\.value).max() ?? 1
        end = min(3, max(1.2, (largest * 10).rounded(.up) / 10))
    }

    var svg: String {
        var parts: [String] = []
        var y = 30.0
        for group in groups {
            if !group.title.isEmpty {
                y += 18
                parts.append(text(group.title, x: 0, y: y, css: "title"))
            }
            parts.append(text("against \(group.peer)", x: Self.left, y: y, css: "soft"))
            y += 8
            if let remark = group.remark {
                parts.append(text(remark, x: Self.left, y: y + 14))
                y += Self.row
            }
            for bar in group.bars {
                parts.append(draw(bar, y: y))
                y += Self.row
            }
            y += 22
        }
        let height = y + 4
        return """
            <svg viewBox="0 0 \(number(Self.width)) \(number(height))" role="img" \
            aria-label="Ratios of Kiln to ffmpeg by case">
            \(axis(height: height))
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    private func x(_ ratio: Double) -> Double {
        Self.left + min(ratio, end) / end * (Self.width - Self.left - Self.right)
    }

    private func draw(_ bar: Bar, y: Double) -> String {
        let css = bar.metric.rawValue
        let title = "\(bar.metric.title): \(bar.value.fixed(3)) of the peer's"
        var parts = [
            text(bar.metric.title, x: Self.left - 12, y: y + 14, css: "soft", anchor: "end"),
            """
            <rect class="\(css)" x="\(number(Self.left))" y="\(number(y + 3))" width="\(number(x(bar.value) - Self.left))" \
            height="\(number(Self.row - 6))" rx="2"><title>\(title)</title></rect>
            """,
            text(bar.value.fixed(2), x: Self.width, y: y + 14, anchor: "end"),
        ]
        if let goal = bar.goal {
            parts.append(
                """
                <line class="goal" x1="\(number(x(goal)))" x2="\(number(x(goal)))" y1="\(number(y))" \
                y2="\(number(y + Self.row))" stroke-width="2"><title>goal: \(goal.fixed(2))</title></line>
                """)
        }
        return parts.joined(separator: "\n")
    }

    private func axis(height: Double) -> String {
        let step = end > 2 ? 0.5 : 0.25
        return stride(from: 0, through: end, by: step).map { ratio in
            let isOne = abs(ratio - 1) < 0.001
            return """
                <line class="\(isOne ? "one" : "line")" x1="\(number(x(ratio)))" x2="\(number(x(ratio)))" y1="22" \
                y2="\(number(height))"\(isOne ? " stroke-dasharray=\"4 3\"" : "")/>
                \(text(ratio.fixed(2), x: x(ratio), y: 14, css: isOne ? "" : "soft", anchor: "middle"))
                """
        }.joined(separator: "\n")
    }

    private func text(_ text: String, x: Double, y: Double, css: String = "", anchor: String = "start") -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" class=\"\(css)\" text-anchor=\"\(anchor)\">\(HTMLReport.escape(text))</text>"
    }

    private func number(_ value: Double) -> String { value.fixed(1) }
}
