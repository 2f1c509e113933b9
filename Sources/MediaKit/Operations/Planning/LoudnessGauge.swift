import CAVShim
import Glibc

/// Measures how loud sound is by EBU R 128: what is integrated over all of it, its range, and its true peak.
///
/// The loudness is measured by libavfilter's `ebur128`, which writes it into its frames. That also measures peaks, but
/// writes them with three digits, too few for quiet sound: so peaks are found here, in sound that libswresample
/// oversampled.
///
// Safe to send: fed by one branch's thread, and read after the run.
final class LoudnessGauge: FrameConsumer, FrameProcessor, @unchecked Sendable {
    /// Samples of each channel that were seen.
    private(set) var sampleCount: Int64 = 0
    private let control: JobControl
    private var meter: FilterGraph?
    private var oversampler: FilterGraph?
    private var integrated: Double?
    private var range = 0.0
    private var peak: Float = 0

    /// Samples of silence before and after: more than the resampling filter reaches.
    private static let margin = 64
    /// Below this, sound counts as silence: the absolute gate of BS.1770-4.
    private static let gate = -70.0

    init(control: JobControl) { self.control = control }

    func consume(_ frame: Frame, format: FrameFormat) throws { try take(frame) }

    func process(_ frame: Frame, timeBase: Rational) throws -> Frame {
        try take(frame)
        return frame
    }

    /// What was measured, once all is seen.
    func finish() throws -> LoudnessMeasurement {
        if let meter {
            _ = try meter.push(nil, source: 0)
            try read(meter)
        }
        if let oversampler {
            _ = try oversampler.push(nil, source: 0)
            try findPeak(oversampler)
        }
        meter = nil
        oversampler = nil
        return LoudnessMeasurement(
            integrated: integrated.flatMap { $0 > Self.gate ? $0 : nil }, range: range,
            truePeak: peak > 0 ? 20 * log10(Double(peak)) : nil)
    }

    private func take(_ frame: Frame) throws {
        guard frame.sampleCount > 0 else { return }
        if meter == nil { try open(frame) }
        guard let meter, let oversampler else { return }
        // Each has a clock of its own, whatever the stream's.
        let first = try frame.ref(), second = try frame.ref()
        for own in [first, second] {
            own.pts = sampleCount
            own.duration = Int64(frame.sampleCount)
        }
        sampleCount += Int64(frame.sampleCount)
        _ = try meter.push(first, source: 0)
        try read(meter)
        _ = try oversampler.push(second, source: 0)
        try findPeak(oversampler)
    }

    private func open(_ frame: Frame) throws {
        let format = FrameFormat(
            frame: frame, timeBase: Rational(1, Int32(frame.sampleRate)), frameRate: Rational(0, 1))
        var measuring = FilterText()
        measuring.append("ebur128", [("metadata", "1"), ("framelog", "verbose")])
        meter = try graph(format, measuring)
        var raising = FilterText()
        // Silence around it, as a player has it; libswresample thinks of it as going on mirrored, which may peak higher.
        raising.append("adelay", [("delays", "\(Self.margin)S"), ("all", "1")])
        raising.append("apad", [("pad_len", "\(Self.margin)")])
        let rate = frame.sampleRate * PeakLimiter.oversampling(frame.sampleRate)
        raising.append("aformat", [("sample_fmts", "fltp"), ("sample_rates", "\(rate)")])
        oversampler = try graph(format, raising)
    }

    private func graph(_ format: FrameFormat, _ text: FilterText) throws -> FilterGraph {
        try FilterGraph(
            sources: [format], text: text.joined(nothing: "anull"), isVideo: false, threads: 1, control: control)
    }

    /// Reads what the meter has written into the frames that come out. A frame's figures are of all until then.
    private func read(_ graph: FilterGraph) throws {
        while true {
            let frame = try Frame()
            guard case .ready = try graph.pull(into: frame) else { return }
            if let value = frame.metadata("lavfi.r128.I") { integrated = value }
            if let value = frame.metadata("lavfi.r128.LRA") { range = value }
        }
    }

    private func findPeak(_ graph: FilterGraph) throws {
        while true {
            let frame = try Frame()
            guard case .ready = try graph.pull(into: frame) else { return }
            for channel in 0..<frame.channelCount {
                guard let plane = frame.plane(channel) else { continue }
                peak = max(peak, Self.largest(plane.base, count: frame.sampleCount))
            }
        }
    }

    private static func largest(_ base: UnsafeMutablePointer<UInt8>, count: Int) -> Float {
        base.withMemoryRebound(to: Float.self, capacity: count) { samples in
            var largest: Float = 0
            for index in 0..<count { largest = max(largest, abs(samples[index])) }
            return largest
        }
    }
}

extension Frame {
    /// A number that a filter has written into the frame.
    fileprivate func metadata(_ key: String) -> Double? {
        av_dict_get(raw.pointee.metadata, key, nil, 0).flatMap { Double(String(cString: $0.pointee.value)) }
    }
}
