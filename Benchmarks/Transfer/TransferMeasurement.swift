import FoundationEssentials
import Glibc
import MediaKit

/// Runs one piece of work: all contestants in turns, then the comparison of what they made, then the ratios.
struct TransferMeasurement {
    let work: TransferWork
    let server: ObjectServerProcess
    let scratch: ScratchFolder
    let peers: [Peer]
    let rounds: Int
    let warmUpRounds: Int

    func run() async throws -> TransferReport.Case {
        let contestants = try await TransferContestants(work, server: server, scratch: scratch, peers: peers).all()
        var runs: [[TransferRun]] = contestants.map { _ in [] }
        for round in 0..<warmUpRounds + rounds {
            let counts = round >= warmUpRounds
            for (index, contestant) in contestants.enumerated() {
                note((counts ? "round \(round - warmUpRounds + 1) of \(rounds): " : "warm-up: ") + contestant.name)
                let run = try await contestant.run(on: server)
                if counts { runs[index].append(run) }
            }
        }
        var report = TransferReport.Case(
            name: work.name, title: work.title,
            contestants: zip(contestants, runs).map {
                TransferReport.Contestant(name: $0.name, role: $0.role, runs: $1, median: .median(of: $1))
            },
            comparisons: [], notes: work.notes)
        note("comparing outputs")
        report.comparisons = try await compare(contestants, report.contestants)
        report.notes += notes(report.contestants)
        note(nil)
        return report
    }

    // MARK: Comparing

    private func compare(
        _ contestants: [TransferContestant], _ measured: [TransferReport.Contestant]
    ) async throws -> [TransferReport.Comparison] {
        let ours = measured[0].median
        let mine = scratch.path("streamed\(work.suffix)"), theirs = scratch.path("other\(work.suffix)")
        defer { for path in [mine, theirs] { unlink(path) } }
        if let key = contestants[0].output { try await server.fetch(key, to: mine) }
        var comparisons: [TransferReport.Comparison] = []
        for (contestant, measured) in zip(contestants, measured).dropFirst() {
            guard let key = contestant.output else { continue }
            try await server.fetch(key, to: theirs)
            let alike = try await offPool { try Self.equivalence(mine, theirs) }
            comparisons.append(
                TransferReport.Comparison(
                    against: measured.name, equivalence: alike,
                    ratios: alike.holds ? ratios(ours, measured.median, isUsual: contestant.role == .usual) : []))
        }
        return comparisons + floors(ours, measured) + needs(ours)
    }

    /// The same bytes, or else the same when decoded.
    private static func equivalence(_ ours: String, _ theirs: String) throws -> CaseReport.Equivalence {
        let files = try [ours, theirs].map { try Data(contentsOf: URL(fileURLWithPath: $0), options: .alwaysMapped) }
        if files[0] == files[1] { return CaseReport.Equivalence(holds: true, text: "the same bytes") }
        return try EquivalenceCheck.ofFiles(ours, theirs)
    }

    private func ratios(_ ours: TransferRun, _ theirs: TransferRun, isUsual: Bool) -> [TransferReport.Ratio] {
        TransferMetric.allCases.compactMap { metric in
            guard let own = metric.value(ours), let other = metric.value(theirs), other > 0 else { return nil }
            let goal = metric == .wall && isUsual ? work.goals.usual : nil
            return TransferReport.Ratio(metric: metric, value: own / other, goal: goal)
        }
    }

    private func floors(
        _ ours: TransferRun, _ measured: [TransferReport.Contestant]
    ) -> [TransferReport.Comparison] {
        let parts = measured.filter { $0.role == .part }
        guard let slowest = parts.max(by: { $0.median.process.wallSeconds < $1.median.process.wallSeconds }) else {
            return []
        }
        let ratio = ours.process.wallSeconds / slowest.median.process.wallSeconds
        return [
            TransferReport.Comparison(
                against: "\(slowest.name), the slowest part", equivalence: nil,
                ratios: [TransferReport.Ratio(metric: .wall, value: ratio, goal: work.goals.aboveSlowest)])
        ]
    }

    private func needs(_ ours: TransferRun) -> [TransferReport.Comparison] {
        guard let needed = work.needed else { return [] }
        func compare(_ bytes: Int64, _ name: String, goal: Double? = nil) -> TransferReport.Comparison {
            let ratio = Double(ours.bytesFetched) / Double(bytes)
            return TransferReport.Comparison(
                against: "\(name) (\((Double(bytes) / 1e6).fixed(3)) MB)", equivalence: nil,
                ratios: [TransferReport.Ratio(metric: .fetched, value: ratio, goal: goal)])
        }
        return [
            compare(needed.bytes, needed.name, goal: work.goals.fetchedOfNeeded),
            compare(work.clip.bytes, "the file's size"),
        ]
    }

    private func notes(_ measured: [TransferReport.Contestant]) -> [String] {
        guard let ours = measured.first?.median, let alone = measured.first(where: { $0.name == "working alone" })
        else { return [] }
        let above = Double(ours.process.peakBytes - alone.median.process.peakBytes) / Double(1 << 20)
        let remarks = ours.remarks.split(separator: "\n").map { "Streaming warns: \($0)" }
        return [
            "Peak memory is \(above.fixed(0)) MiB above that of working alone.",
            "Meanwhile the server took \(ours.serverCPU.fixed(2)) CPU s.",
        ] + remarks
    }

    /// Tells on a terminal what is going on, in one line that vanishes.
    private func note(_ text: String?) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let line = text.map { "\r\u{1B}[K\(work.name): \($0)" } ?? "\r\u{1B}[K"
        let bytes = Array(line.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
