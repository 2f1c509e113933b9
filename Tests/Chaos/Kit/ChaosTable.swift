/// The outcome of experiments as a table in Markdown.
package enum ChaosTable {
    package static let header = """
        | fault | faults | jobs | lost | completed twice | overwritten | limits overshot | out of order | run again | late writes refused | deadlocks | recovery p50 | max |
        |---|---|---|---|---|---|---|---|---|---|---|---|---|
        """

    package static func row(_ experiment: Experiment, _ counts: ChaosCounts) -> String {
        let numbers = [
            counts.faults, counts.jobs, counts.lost, counts.completedTwice, counts.overwritten, counts.overshot,
            counts.outOfOrder, counts.runAgain, counts.refused, counts.deadlocks,
        ]
        let times = [counts.recoveryMedian, counts.recoveryMax].map(seconds)
        return "| " + ([experiment.rawValue] + numbers.map(String.init) + times).joined(separator: " | ") + " |"
    }

    private static func seconds(_ value: Double?) -> String {
        guard let value else { return "–" }
        return "\((value * 100).rounded() / 100) s"
    }
}
