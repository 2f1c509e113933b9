import CAVShim
import Glibc

/// Measures how loud sound is, in steps of 10 ms.
///
// Safe to send: fed by one branch's thread, and read after the run.
final class LoudnessMeter: FrameConsumer, @unchecked Sendable {
    /// Hz of the mono float samples that it takes.
    static let sampleRate = 16_000
    static let samplesPerStep = sampleRate / 100

    /// Mean square of each step, the last of which may be shorter; full scale is 1.
    var levels: [Float] { count > 0 ? steps + [sum / Float(count)] : steps }
    private var steps: [Float] = []
    private var sum: Float = 0
    private var count = 0

    func consume(_ frame: Frame, format: FrameFormat) throws {
        guard let plane = frame.plane(0) else { return }
        plane.base.withMemoryRebound(to: Float.self, capacity: frame.sampleCount) { samples in
            for index in 0..<frame.sampleCount {
                sum += samples[index] * samples[index]
                count += 1
                if count == Self.samplesPerStep {
                    steps.append(sum / Float(count))
                    sum = 0
                    count = 0
                }
            }
        }
    }
}

/// Where sound is silent, and where it is best cut.
struct SilenceMap {
    /// Microseconds per step of the meter.
    static let step: Int64 = 10_000

    private let levels: [Float]
    /// Steps that are silent for long enough, in order.
    let silences: [Range<Int>]

    /// - Parameter levels: as ``LoudnessMeter`` gives them.
    init(levels: [Float], settings: SilenceSettings) {
        self.levels = levels
        // 10 log10 of the mean square is the level in dB.
        let threshold = Float(pow(10, settings.threshold / 10))
        let minimum = max(1, Int(settings.minimum * 1e6) / Int(Self.step))
        var found: [Range<Int>] = []
        var start: Int?
        for index in 0...levels.count {
            if index < levels.count, levels[index] < threshold {
                start = start ?? index
            } else if let first = start {
                if index - first >= minimum { found.append(first..<index) }
                start = nil
            }
        }
        silences = found
    }

    /// Microseconds.
    var duration: Int64 { Int64(levels.count) * Self.step }

    /// From the first to the last sound, in microseconds; `nil` if all is silent.
    var sound: Range<Int64>? {
        let first = silences.first?.lowerBound == 0 ? silences[0].upperBound : 0
        let last = silences.last?.upperBound == levels.count ? silences[silences.count - 1].lowerBound : levels.count
        return first < last ? Int64(first) * Self.step..<Int64(last) * Self.step : nil
    }

    /// Where to cut so that no piece is longer than `longest`: in the middle of the last silence that allows it, else
    /// at the quietest moment of the piece's last third. All in microseconds.
    func cuts(from: Int64, to: Int64, longest: Int64) -> [Int64] {
        var cuts: [Int64] = []
        var begin = from
        while to - begin > longest {
            let limit = begin + longest
            let silence = silences.last { silence in
                let middle = Self.middle(silence)
                return middle > begin + Self.step && middle <= limit
            }
            let cut = silence.map(Self.middle) ?? quietest(from: begin + longest * 2 / 3, to: limit) ?? limit
            cuts.append(cut)
            begin = cut
        }
        return cuts
    }

    private static func middle(_ silence: Range<Int>) -> Int64 {
        Int64(silence.lowerBound + silence.upperBound) * step / 2
    }

    private func quietest(from: Int64, to: Int64) -> Int64? {
        let range = Int(from / Self.step)..<min(levels.count, Int(to / Self.step))
        guard !range.isEmpty, let index = range.min(by: { levels[$0] < levels[$1] }) else { return nil }
        return Int64(index) * Self.step + Self.step / 2
    }
}
