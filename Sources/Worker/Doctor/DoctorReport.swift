/// What all checks have found, in their order.
struct DoctorReport: Sendable, Codable {
    struct Entry: Sendable, Codable {
        /// The check's.
        var name: String
        /// The gravest of the findings'.
        var verdict: DoctorFinding.Verdict
        var findings: [DoctorFinding]

        init(name: String, findings: [DoctorFinding]) {
            self.name = name
            self.findings = findings
            verdict = findings.map(\.verdict).max { $0.rank < $1.rank } ?? .ok
        }
    }

    var isHealthy: Bool
    var checks: [Entry]

    init(checks: [Entry]) {
        self.checks = checks
        isHealthy = !checks.contains { $0.verdict == .wrong }
    }

    /// For people: a line for each finding, and below it what to do.
    var text: String {
        let width = checks.map(\.name.count).max() ?? 0
        var lines: [String] = []
        for check in checks {
            for (index, finding) in check.findings.enumerated() {
                let name = index == 0 ? check.name : ""
                let gap = String(repeating: " ", count: width - name.count + 2)
                lines.append("\(Self.mark(finding.verdict))  \(name)\(gap)\(finding.text.printable)")
                if let remedy = finding.remedy {
                    lines.append(String(repeating: " ", count: 9 + width) + "-> \(remedy.printable)")
                }
            }
        }
        let wrong = checks.filter { $0.verdict == .wrong }.map(\.name)
        let verdict =
            wrong.isEmpty ? "can do its work here" : "cannot do its work here: \(wrong.joined(separator: ", "))"
        lines.append("a worker \(verdict)")
        return lines.joined(separator: "\n")
    }

    /// Five letters, so that columns line up.
    private static func mark(_ verdict: DoctorFinding.Verdict) -> String {
        switch verdict {
        case .ok: "ok   "
        case .skipped: "  -  "
        case .note: "note "
        case .wrong: "WRONG"
        }
    }
}
