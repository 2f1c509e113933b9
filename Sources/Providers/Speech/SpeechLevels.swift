import Glibc

/// How loud a channel is, in frames of 10 ms, and what of that is voice.
///
/// A frame is quiet if it is less than 9 dB above the noise, which is the level that a tenth of all frames so far do not
/// reach; but never if it is within 15 dB of the loudest, so that even noise is not taken for silence, and always below
/// -65 dB.
struct SpeechLevels {
    /// Frames by level, in steps of 1 dB from -100 on.
    private var histogram = [Int](repeating: 0, count: 101)
    private var count = 0

    static func frameLength(_ sampleRate: Int) -> Int { max(1, sampleRate / 100) }

    mutating func add(_ level: Float) {
        histogram[min(100, max(0, Int(level.rounded(.down)) + 100))] += 1
        count += 1
    }

    /// Decibels under which a frame is quiet.
    var quietLevel: Float {
        guard count > 0 else { return -65 }
        return max(-65, min(quantile(0.1) + 9, quantile(0.99) - 15))
    }

    private func quantile(_ share: Double) -> Float {
        var left = Int(Double(count) * share)
        for (step, frames) in histogram.enumerated() {
            left -= frames
            if left < 0 { return Float(step - 100) }
        }
        return 0
    }

    /// The mean power of samples, in decibels below full scale; -100 for digital silence.
    static func level(_ samples: ArraySlice<Int16>) -> Float {
        guard !samples.isEmpty else { return -100 }
        let sum = samples.withUnsafeBufferPointer { samples in
            var sum: Float = 0
            for sample in samples {
                let value = Float(sample)
                sum += value * value
            }
            return sum
        }
        let power = sum / Float(samples.count) / (32_768 * 32_768)
        return power > 1e-10 ? 10 * log10(power) : -100
    }

    /// The frames from the first voice to the last; a click of less than 30 ms is none.
    static func voice(in levels: ArraySlice<Float>, above quiet: Float) -> Range<Int>? {
        func isVoice(_ index: Int) -> Bool {
            let around = max(levels.startIndex, index - 2)..<min(levels.endIndex, index + 3)
            return levels[index] > quiet && around.reduce(0) { levels[$1] > quiet ? $0 + 1 : $0 } >= 3
        }
        guard let first = levels.indices.first(where: isVoice), let last = levels.indices.last(where: isVoice) else {
            return nil
        }
        return first..<last + 1
    }

    /// The longest run of at least `minimum` quiet frames; the later of two that are as long.
    static func longestPause(in levels: ArraySlice<Float>, below quiet: Float, minimum: Int) -> Range<Int>? {
        var best: Range<Int>?
        var start: Int?
        func end(_ index: Int) {
            guard let begun = start else { return }
            if index - begun >= max(minimum, best?.count ?? 0) { best = begun..<index }
            start = nil
        }
        for index in levels.indices {
            if levels[index] <= quiet { start = start ?? index } else { end(index) }
        }
        end(levels.endIndex)
        return best
    }

    /// The first run of at least `minimum` quiet frames.
    static func firstPause(in levels: ArraySlice<Float>, below quiet: Float, minimum: Int) -> Range<Int>? {
        var index = levels.startIndex
        while index < levels.endIndex {
            guard levels[index] <= quiet else {
                index += 1
                continue
            }
            let end = levels[index...].firstIndex { $0 > quiet } ?? levels.endIndex
            if end - index >= minimum { return index..<end }
            index = end
        }
        return nil
    }

    /// The frame around which it is quietest, by the mean over `width` frames; the one nearest the middle of those
    /// that are alike.
    static func quietest(in levels: ArraySlice<Float>, width: Int) -> Int {
        let middle = (levels.startIndex + levels.endIndex) / 2
        guard levels.count > width, width > 0 else { return middle }
        var sum = levels.prefix(width).reduce(0, +)
        var best = (index: levels.startIndex + width / 2, sum: sum)
        for start in levels.startIndex + 1...levels.endIndex - width {
            sum += levels[start + width - 1] - levels[start - 1]
            let index = start + width / 2
            if sum < best.sum - 0.5 || sum < best.sum + 0.5 && abs(index - middle) < abs(best.index - middle) {
                best = (index, sum)
            }
        }
        return best.index
    }
}
