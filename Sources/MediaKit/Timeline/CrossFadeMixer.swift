import CAVShim
import Glibc

/// Mixes the end of one clip with the beginning of the next: the pictures by libavfilter's `xfade`, the sound with equal
/// power, as is right for two sounds that have nothing to do with each other.
///
/// Thread safety: used by one thread.
final class CrossFadeMixer {
    private let graph: FilterGraph
    private let count: Int
    private let samples: Int
    private var mixed = 0
    private var mixedSamples = 0

    /// - Parameters:
    ///   - count: pictures that the fade takes.
    ///   - samples: samples that it takes.
    ///   - first: any picture of the sequence.
    init(
        _ transition: CrossFade.Transition, pictures count: Int, samples: Int, like first: Frame,
        _ format: SequenceFormat,
        control: JobControl
    ) throws {
        self.count = count
        self.samples = samples
        let source = FrameFormat(frame: first, timeBase: format.frameRate.inverse, frameRate: format.frameRate)
        var text = FilterText()
        text.append(
            "xfade",
            [
                ("transition", transition.rawValue), ("duration", "\(Double(count) / format.frameRate.value)"),
                ("offset", "0"),
            ])
        text.append("format", [("pix_fmts", format.pixelFormat.name)])
        graph = try FilterGraph(
            sources: [source, source], text: text.joined(nothing: "null", sources: 2), isVideo: true,
            threads: control.budget.filterThreads, control: control)
    }

    func mix(_ end: Frame, _ beginning: Frame) throws -> Frame {
        for (source, frame) in [end, beginning].enumerated() {
            frame.pts = Int64(mixed)
            frame.duration = 1
            _ = try graph.push(frame, source: source)
        }
        mixed += 1
        let result = try Frame()
        guard case .ready = try graph.pull(into: result) else {
            throw MediaError(.internal, "a cross-fade gave no picture")
        }
        return result
    }

    func mix(_ end: [[Float]], _ beginning: [[Float]]) -> [[Float]] {
        let length = end.first?.count ?? 0
        defer { mixedSamples += length }
        return zip(end, beginning).map { end, beginning in
            zip(end, beginning).enumerated().map { index, pair in
                let place = (Float(mixedSamples + index) + 0.5) / Float(max(1, samples)) * .pi / 2
                return pair.0 * cosf(place) + pair.1 * sinf(place)
            }
        }
    }
}
