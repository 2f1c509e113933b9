import ArgumentParser
import FoundationEssentials
import MediaKit

/// `Benchmarks media`: the engine in its own process against the `ffmpeg` command.
struct MediaBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media", abstract: "The media engine against the ffmpeg command, with the same settings.",
        discussion: """
            Ours and the peers take turns. Outputs are compared before a ratio is printed. \
            scripts/bench-peers fetches a newer ffmpeg than the system's: --peer "$(scripts/bench-peers)".
            """)

    @Option(help: "A file that all cases work on. Default: clips of the media folder, else clips made on the spot.")
    var input: String?

    @Option(help: "One more ffmpeg to compare with, besides the one in PATH. May be given several times.")
    var peer: [String] = []

    @Option(help: "Writes every run and the environment to this file.")
    var json: String?

    @Option(help: "Draws the ratios as a chart into this file.")
    var html: String?

    @Option(help: "Measured rounds.")
    var rounds = 5

    @Option(help: "Rounds before them that are not counted.")
    var warmUpRounds = 1

    @Option(
        name: .customLong("case"),
        help: "Only this case: \(MediaCase.names.joined(separator: ", ")). May be given several times.")
    var cases: [String] = []

    func validate() throws {
        guard rounds >= 1, warmUpRounds >= 0 else { throw ValidationError("--rounds must be at least 1") }
        for name in cases where !MediaCase.names.contains(name) {
            throw ValidationError("there is no case \(name): choose from \(MediaCase.names.joined(separator: ", "))")
        }
    }

    private static let method = [
        "Ours: time and CPU (user and system) of the jobs inside a process that has done a short one before, since a"
            + " program that uses the library starts once; a fresh process each round, whose peak memory (ru_maxrss) is"
            + " that of the whole of it.",
        "Peers: time from starting the command to its end, CPU and peak memory by wait4, for every job a process.",
        "Bytes read are those of all system calls (rchar in /proc/PID/io): the input, fonts, and an output that is read"
            + " again to move its index to the front.",
        "Medians of the rounds, each figure for itself; contestants take turns. Thread counts are left to each.",
        "x264 alone: the same pictures, finished and in memory, through the same encoder with the same settings.",
    ]

    func run() throws {
        var peers: [Peer] = []
        for path in [Peer.resolve("ffmpeg")].compactMap({ $0 }) + peer {
            let found = try Peer(path: path)
            if !peers.contains(where: { $0.path == found.path }) { peers.append(found) }
        }
        var report = Report(method: Self.method, environment: Environment(), peers: peers)
        TextReport.header(report).forEach { print($0) }
        let scratch = try ScratchFolder()
        let chosen = try MediaCase.all(try MediaInputs(input: input, scratch: scratch), scratch: scratch)
        for one in chosen where cases.isEmpty || cases.contains(one.name) {
            let measurement = CaseMeasurement(
                measured: one, peers: peers, rounds: rounds, warmUpRounds: warmUpRounds)
            let result = try measurement.run()
            report.cases.append(result)
            TextReport.lines(of: result).forEach { print($0) }
        }
        if let json { try write(try Self.encode(report), to: json) }
        if let html { try write(HTMLReport(report).text, to: html) }
    }

    private static func encode(_ report: Report) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        print("\(path) written")
    }
}
