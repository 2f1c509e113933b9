import Glibc

/// Runs one piece of work: all contestants in turns, then the comparison of what they made, then the ratios.
struct WorkerMeasurement: Sendable {
    let work: WorkerWork
    let jobs: Int
    let rounds: Int
    let peers: [Peer]
    let programs: WorkerPrograms
    let inputs: WorkerInputs
    let server: QueueServer
    let line: ObjectServerProcess.Line
    let scratch: ScratchFolder

    private var contestants: [WorkerContestant] {
        let others = peers.flatMap { peer -> [WorkerContestant] in
            work.comesAtOnce ? [.usual(peer), .spawning(peer)] : [.usual(peer)]
        }
        return [.kiln] + others
    }

    func run() async throws -> WorkerReport.Case {
        let contestants = contestants
        var runs: [[WorkerRun]] = contestants.map { _ in [] }
        for round in 0...rounds {
            for (index, contestant) in contestants.enumerated() {
                note((round == 0 ? "warm-up: " : "round \(round) of \(rounds): ") + contestant.name)
                let turn = WorkerTurn(
                    work: work, contestant: contestant, jobs: round == 0 ? warmUpJobs : jobs, programs: programs,
                    inputs: inputs, server: server, line: line, scratch: scratch)
                let run = try await turn.run(keepingFirstAs: kept(index))
                if round > 0 { runs[index].append(run) }
            }
        }
        note("comparing outputs")
        let measured = zip(contestants, runs).map { contestant, runs in
            WorkerReport.Contestant(name: contestant.name, runs: runs, median: .median(of: runs))
        }
        var comparisons: [WorkerReport.Comparison] = []
        for index in contestants.indices.dropFirst() {
            let alike = try await offPool { try EquivalenceCheck.ofFiles(kept(0), kept(index)) }
            comparisons.append(
                WorkerReport.Comparison(
                    against: contestants[index].name, equivalence: alike,
                    ratios: alike.holds ? ratios(runs[0], runs[index], goal: goal(contestants[index])) : []))
        }
        note(nil)
        return WorkerReport.Case(
            name: work.name, title: work.title, jobs: jobs, contestants: measured, comparisons: comparisons)
    }

    /// A few: they page programs, fonts and objects in.
    private var warmUpJobs: Int { min(jobs, 2 * programs.slots) }

    private func kept(_ index: Int) -> String { scratch.path("first-\(work.name.rawValue)-\(index)\(work.suffix)") }

    private func goal(_ contestant: WorkerContestant) -> Double? {
        switch contestant {
        case .kiln: nil
        case .usual: work.usualGoal
        case .spawning: work.spawningGoal
        }
    }

    private func ratios(_ ours: [WorkerRun], _ theirs: [WorkerRun], goal: Double?) -> [WorkerReport.Ratio] {
        // Jobs that are there from the start wait for those before them: the speed, said again.
        let metrics = WorkerMetric.allCases.filter { $0 != .wait95 || !work.comesAtOnce }
        return metrics.compactMap { metric in
            metric.ratio(ours, theirs).map {
                WorkerReport.Ratio(metric: metric, value: $0, goal: metric == .throughput ? goal : nil)
            }
        }
    }

    /// Tells on a terminal what is going on, in one line that vanishes.
    private func note(_ text: String?) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let bytes = Array((text.map { "\r\u{1B}[K\(work.name.rawValue): \($0)" } ?? "\r\u{1B}[K").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
