import MediaKit

/// Everything that was measured, as `--json` writes it.
struct Report: Codable {
    /// How it was measured, in sentences.
    var method: [String]
    var environment: Environment
    var peers: [Peer]
    var cases: [CaseReport] = []
}

/// What a contestant's figures are of.
enum Metric: String, Codable, CaseIterable {
    case cpu, wall, memory, bytesRead
    /// CPU beyond what the encoder alone takes.
    case cpuAboveEncoder

    var title: String {
        switch self {
        case .cpu: "CPU"
        case .wall: "time"
        case .memory: "memory"
        case .bytesRead: "bytes read"
        case .cpuAboveEncoder: "CPU above x264 alone"
        }
    }
}

/// A ratio that is hoped for. It is shown beside what was measured and decides nothing.
struct Goal {
    var metric: Metric
    var limit: Double
    /// Against peers from FFmpeg 7 on, which run their stages in threads of their own.
    var limitFromFFmpeg7: Double?

    func limit(against peer: Peer) -> Double {
        if let limitFromFFmpeg7, (peer.major ?? 0) >= 7 { return limitFromFFmpeg7 }
        return limit
    }
}

struct CaseReport: Codable {
    struct Contestant: Codable {
        var name: String
        var runs: [Run]
        var median: Run
    }

    /// Ours against one peer's.
    struct Comparison: Codable {
        var peer: String
        var equivalence: Equivalence
        /// None where the outputs are not equivalent.
        var ratios: [Ratio]
    }

    struct Ratio: Codable {
        var metric: Metric
        var value: Double
        var goal: Double?
        var isMet: Bool? { goal.map { value <= $0 } }
    }

    struct Equivalence: Codable {
        var holds: Bool
        /// What was compared, or what differs.
        var text: String
    }

    var name: String
    var title: String
    /// Seconds of media that one run goes through.
    var mediaSeconds: Double
    var contestants: [Contestant]
    /// The encoder alone, where there is one.
    var floors: [EncodeFloor]
    var floor: EncodeFloor?
    var comparisons: [Comparison]
    /// What to know about the figures.
    var notes: [String]
}
