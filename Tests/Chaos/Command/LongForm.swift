import ChaosKit
import Foundation

/// All experiments one after another, as long as there is time for each.
struct LongForm {
    var seconds = 600.0
    var lease = 10.0
    var only: String?

    init(arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--lease": lease = try Self.number(rest.popFirst(), after: argument)
            case "--only": only = rest.popFirst()
            default: seconds = try Self.number(argument, after: "chaos")
            }
        }
    }

    private static func number(_ text: String?, after name: String) throws -> Double {
        guard let number = text.flatMap(Double.init), number > 0 else {
            throw ChaosError("\(name) takes a number of seconds, not \(text ?? "nothing")")
        }
        return number
    }

    func run() async throws {
        let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let experiments = Experiment.allCases.filter { only.map($0.rawValue.contains) ?? true }
        let share = Duration.seconds(seconds / Double(max(1, experiments.count)))
        var rows: [String] = []
        var isClean = true
        for experiment in experiments {
            let began = ContinuousClock.now
            let counts = try await experiment.run(
                executable: executable, lease: .seconds(lease), duration: share, rate: 80, outage: .seconds(30))
            rows.append(ChaosTable.row(experiment, counts))
            let seconds = Int(began.duration(to: .now) / .seconds(1))
            note(
                "\(experiment.rawValue): \(seconds) s, \(counts.workerDeaths) processes died, "
                    + "\(counts.leasesLost) leases lost, \(counts.failedCalls) calls of the producer failed, "
                    + "\(counts.crashSuspects) crash suspects")
            for remark in counts.remarks { note("  " + remark) }
            isClean = isClean && counts.remarks.isEmpty
        }
        print(ChaosTable.header)
        for row in rows { print(row) }
        if !isClean { exit(1) }
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
