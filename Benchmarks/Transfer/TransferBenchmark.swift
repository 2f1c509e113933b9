import ArgumentParser
import FoundationEssentials
import Glibc

/// `Benchmarks transfer`: work from object to object, against doing one thing after another.
struct TransferBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Streaming from and to an object store against downloading, working and uploading.",
        discussion: """
            Starts an object store on the loopback with the delay and speed of a distant one. Clips are made by the \
            ffmpeg command, which takes some minutes the first time, and kept in .build/bench-media. \
            scripts/bench-peers fetches a newer ffmpeg than the system's: --peer "$(scripts/bench-peers)".
            """)

    @Option(help: "One more ffmpeg to compare with, besides the one in PATH. May be given several times.")
    var peer: [String] = []

    @Option(help: "Writes every run and the environment to this file.")
    var json: String?

    @Option(help: "Draws the ratios as a chart into this file.")
    var html: String?

    @Option(help: "Measured rounds.")
    var rounds = 3

    @Option(help: "Rounds before them that are not counted.")
    var warmUpRounds = 1

    @Option(
        name: .customLong("case"),
        help: "Only this case: \(TransferWork.names.joined(separator: ", ")). May be given several times.")
    var cases: [String] = []

    @Option(help: "Seconds of the clips; fewer for a trial.")
    var seconds = 60

    @Option(help: "Milliseconds that the store takes for each request.")
    var latency = 20

    @Option(help: "MB per second of each connection to the store.")
    var speed = 50.0

    func validate() throws {
        guard rounds >= 1, warmUpRounds >= 0 else { throw ValidationError("--rounds must be at least 1") }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must lie between 1 and 600") }
        guard (0...1000).contains(latency), speed > 0 else {
            throw ValidationError("--latency must lie between 0 and 1000, --speed above 0")
        }
        for name in cases where !TransferWork.names.contains(name) {
            throw ValidationError("there is no case \(name): choose from \(TransferWork.names.joined(separator: ", "))")
        }
    }

    private var method: [String] {
        [
            "The store is a process of its own on the same machine: \(latency) ms before each answer,"
                + " \(speed.fixed(0)) MB/s on each connection in each direction, any number of connections. It checks"
                + " neither signatures nor digests.",
            "A contestant is a process, or several one after another: time from the start of the first to the end of"
                + " the last, CPU (user and system) and peak memory (ru_maxrss, of the largest) by wait4.",
            "Whole files: one GET into a file, the same engine from file to file, an upload of parts side by side. By"
                + " ranges: the download by four requests at a time.",
            "curl: one GET, then ffmpeg, then one PUT. Reading a URL: ffmpeg reads the clip from a presigned URL itself.",
            "Fetched and sent are bytes of objects by the server's count; first byte is when the first byte of the"
                + " output was at the server. Disk is what was written to files (write_bytes in /proc/PID/io), whether"
                + " the system's cache passes it on to the disk or not.",
            "Medians of the rounds, each figure for itself; contestants take turns. Thread counts are left to each.",
        ]
    }

    func run() async throws {
        var peers: [Peer] = []
        for path in [Peer.resolve("ffmpeg")].compactMap({ $0 }) + peer {
            let found = try await offPool { try Peer(path: path) }
            if !peers.contains(where: { $0.path == found.path }) { peers.append(found) }
        }
        guard let maker = peers.first, Peer.resolve("curl") != nil else {
            throw ChildProcess.Failure(description: "ffmpeg or curl is not installed: scripts/setup --bench")
        }
        var report = TransferReport(method: method, environment: Environment(), peers: peers)
        TransferTextReport.header(report).forEach { print($0) }
        let scratch = try ScratchFolder()
        let inputs = try await offPool { [seconds] in
            try TransferInputs(seconds: seconds, folder: Self.mediaFolder, maker: maker, scratch: scratch)
        }
        let line = ObjectServerProcess.Line(latencyMilliseconds: latency, megabytesPerSecond: speed)
        for work in TransferWork.all(inputs) where cases.isEmpty || cases.contains(work.name) {
            // A new one for each, as it keeps all that it is given in memory.
            let server = try ObjectServerProcess(line, objects: inputs.objects)
            let measurement = TransferMeasurement(
                work: work, server: server, scratch: scratch, peers: peers, rounds: rounds, warmUpRounds: warmUpRounds)
            let result = try await measurement.run()
            report.cases.append(result)
            TransferTextReport.lines(of: result).forEach { print($0) }
            fflush(nil)
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try write(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n", to: json)
        }
        if let html { try write(TransferHTMLReport(report: report).text, to: html) }
    }

    /// In the package's build folder: this file lies two folders below the package's root.
    private static var mediaFolder: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build/bench-media").path
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        print("\(path) written")
    }
}
