import Glibc
import MediaKit

/// Runs one case: ours and the peers in turns, then the comparison of what they made, then the ratios.
struct CaseMeasurement {
    let measured: MediaCase
    let peers: [Peer]
    let rounds: Int
    let warmUpRounds: Int

    func run() throws -> CaseReport {
        var ours: [Run] = [], floors: [EncodeFloor] = []
        var results: [MediaResult] = []
        var others: [[Run]] = peers.map { _ in [] }
        var outputs: [[[UInt8]]] = peers.map { _ in [] }
        for round in 0..<warmUpRounds + rounds {
            let counts = round >= warmUpRounds
            note(counts ? "round \(round - warmUpRounds + 1) of \(rounds)" : "warm-up")
            let answer = try ChildTask.run(measured.jobs, warmUp: measured.warmUp)
            results = answer.results
            if counts { ours.append(answer.run) }
            for (index, peer) in peers.enumerated() {
                guard takesPart(index), let commands = measured.commands(peer, tag(index)) else { continue }
                let ended = try commands.map { try $0.run() }
                outputs[index] = ended.map(\.output)
                if counts { others[index].append(.together(ended.map(\.run))) }
            }
            if counts, let request = measured.floor {
                floors.append(try ChildTask.floor(request).perform(as: EncodeFloor.self).answer)
            }
        }
        note(nil)
        let floor = median(of: floors)
        var report = CaseReport(
            name: measured.name, title: measured.title, mediaSeconds: measured.mediaSeconds,
            contestants: [CaseReport.Contestant(name: "kiln", runs: ours, median: .median(of: ours))],
            floors: floors, floor: floor, comparisons: [], notes: measured.notes)
        for (index, peer) in peers.enumerated() {
            guard !others[index].isEmpty else {
                report.notes.append("\(peer.name) is left out: it has no ffprobe of its own beside it")
                continue
            }
            report.contestants.append(
                CaseReport.Contestant(
                    name: name(of: peer), runs: others[index], median: .median(of: others[index])))
            let equivalence = try check(results, index: index, outputs: outputs[index])
            report.comparisons.append(
                CaseReport.Comparison(
                    peer: name(of: peer), equivalence: equivalence,
                    ratios: equivalence.holds
                        ? ratios(report.contestants[0].median, .median(of: others[index]), floor, peer) : []))
        }
        return report
    }

    private func tag(_ index: Int) -> String { "peer\(index + 1)" }

    private func name(of peer: Peer) -> String {
        guard case .probes = measured.check else { return peer.name }
        return peer.probeIsItsOwn ? "ffprobe \(peer.version)" : "ffprobe in PATH, as \(peer.name) has none"
    }

    /// Whether a peer's commands are not another's too: a static build may come without an ffprobe, and the one in
    /// PATH is measured once.
    private func takesPart(_ index: Int) -> Bool {
        guard case .probes = measured.check else { return true }
        return !peers[..<index].contains { $0.probePath == peers[index].probePath }
    }

    private func check(_ results: [MediaResult], index: Int, outputs: [[UInt8]]) throws -> CaseReport.Equivalence {
        switch measured.check {
        case .files(let ours, let peer): try EquivalenceCheck.ofFiles(ours, peer(tag(index)))
        case .probes: try EquivalenceCheck.ofProbes(results, peer: outputs)
        }
    }

    private func ratios(_ ours: Run, _ theirs: Run, _ floor: EncodeFloor?, _ peer: Peer) -> [CaseReport.Ratio] {
        Metric.allCases.compactMap { metric in
            let pair: (Double, Double)
            switch metric {
            case .cpu: pair = (ours.cpuSeconds, theirs.cpuSeconds)
            case .wall: pair = (ours.wallSeconds, theirs.wallSeconds)
            case .memory: pair = (Double(ours.peakBytes), Double(theirs.peakBytes))
            case .bytesRead: pair = (Double(ours.bytesRead), Double(theirs.bytesRead))
            case .cpuAboveEncoder:
                guard let floor else { return nil }
                pair = (ours.cpuSeconds - floor.encodeCPU, theirs.cpuSeconds - floor.encodeCPU)
            }
            guard pair.1 > 0 else { return nil }
            let goal = measured.goals.first { $0.metric == metric }?.limit(against: peer)
            return CaseReport.Ratio(metric: metric, value: pair.0 / pair.1, goal: goal)
        }
    }

    /// Each figure's median for itself.
    private func median(of floors: [EncodeFloor]) -> EncodeFloor? {
        guard var middle = floors.first else { return nil }
        middle.encodeCPU = floors.map(\.encodeCPU).median
        middle.encodeWall = floors.map(\.encodeWall).median
        middle.decodeCPU = floors.map(\.decodeCPU).median
        middle.filterCPU = floors.map(\.filterCPU).median
        middle.captionCPU = floors.map(\.captionCPU).median
        return middle
    }

    /// Tells on a terminal what is going on, in one line that vanishes.
    private func note(_ text: String?) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let line = text.map { "\r\u{1B}[K\(measured.name): \($0)" } ?? "\r\u{1B}[K"
        let bytes = Array(line.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
