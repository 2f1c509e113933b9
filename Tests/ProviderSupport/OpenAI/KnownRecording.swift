package import MediaKit

/// A recogniser that knows the recording: it finds the place of what it is given in it, and says the words there.
///
/// A word that is cut at an end of the chunk is heard in part, as a real recogniser hears it.
package struct KnownRecording: Sendable {
    /// 16 kHz, one channel.
    package var pcm: [Int16]
    /// With times of the recording, in order.
    package var words: [Transcript.Word]

    private let envelope: [Float]
    private static let hop = 160

    package init(pcm: [Int16], words: [Transcript.Word]) {
        self.pcm = pcm
        self.words = words
        envelope = Self.envelope(pcm)
    }

    /// The words in a chunk, with times of the chunk.
    package func callAsFunction(_ chunk: [Int16]) -> [Transcript.Word] {
        guard let start = place(of: chunk) else { return [] }
        let from = Double(start) / 16_000
        let to = from + Double(chunk.count) / 16_000
        return words.compactMap { word in
            let length = max(word.end - word.start, 0.001)
            let inside = (min(word.end, to) - max(word.start, from)) / length
            guard inside > 0.3 else { return nil }
            var heard = word
            if inside < 0.9 {
                let count = max(1, Int(Double(word.text.count) * inside))
                heard.text = String(word.start < from ? word.text.suffix(count) : word.text.prefix(count))
            }
            heard.start = max(word.start, from) - from
            heard.end = min(word.end, to) - from
            return heard
        }
    }

    /// The sample of the recording that the chunk's first one is; `nil` if it is not of this recording.
    package func place(of chunk: [Int16]) -> Int? {
        let frames = Self.envelope(chunk)
        guard frames.count >= 20 else { return nil }
        // The ten loudest seconds are looked for: by their loudness, then by their samples.
        let length = min(frames.count, 1000)
        var sum = frames.prefix(length).reduce(0, +)
        var best = (start: 0, sum: sum)
        for start in 0..<(frames.count - length) {
            sum += frames[start + length] - frames[start]
            if sum > best.sum { best = (start + 1, sum) }
        }
        let wanted = Array(frames[best.start..<best.start + length])
        var found: [(frame: Int, score: Float)] = []
        let last = envelope.count - length
        guard last >= 0 else { return nil }
        for frame in 0...last {
            let score = Self.correlation(wanted, 0, envelope, frame, length)
            found.append((frame, score))
        }
        guard let top = found.max(by: { $0.score < $1.score }), top.score > 0.8 else { return nil }
        // The loudest half second of it: silence is alike everywhere.
        let width = min(50, length)
        let peak = (0...length - width).max {
            wanted[$0..<$0 + width].reduce(0, +) < wanted[$1..<$1 + width].reduce(0, +)
        }
        let inner = (best.start + (peak ?? 0)) * Self.hop
        let template = Self.floats(chunk[inner..<min(chunk.count, inner + width * Self.hop)])
        let expected = (top.frame + (peak ?? 0)) * Self.hop
        let from = max(0, expected - 480)
        let source = Self.floats(pcm[from..<min(pcm.count, expected + 480 + template.count)])
        guard source.count >= template.count else { return nil }
        var place = (offset: 0, score: -Float.infinity)
        for offset in 0...(source.count - template.count) {
            let score = Self.correlation(template, 0, source, offset, template.count)
            if score > place.score { place = (offset, score) }
        }
        // Speech of the same rhythm is not the same speech.
        return place.score > 0.4 ? from + place.offset - inner : nil
    }

    private static func envelope(_ pcm: [Int16]) -> [Float] {
        pcm.withUnsafeBufferPointer { samples in
            (0..<samples.count / hop).map { frame in
                var sum: Float = 0
                for index in frame * hop..<(frame + 1) * hop { sum += abs(Float(samples[index])) }
                return (sum / Float(hop)).squareRoot()
            }
        }
    }

    private static func floats(_ samples: ArraySlice<Int16>) -> [Float] { samples.map(Float.init) }

    /// Of Pearson, -1 to 1.
    private static func correlation(_ a: [Float], _ i: Int, _ b: [Float], _ j: Int, _ count: Int) -> Float {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sums = (a: Float(0), b: Float(0), aa: Float(0), bb: Float(0), ab: Float(0))
                for k in 0..<count {
                    let (x, y) = (a[i + k], b[j + k])
                    sums.a += x
                    sums.b += y
                    sums.aa += x * x
                    sums.bb += y * y
                    sums.ab += x * y
                }
                let n = Float(count)
                let variance = (sums.aa - sums.a * sums.a / n) * (sums.bb - sums.b * sums.b / n)
                return variance > 0 ? (sums.ab - sums.a * sums.b / n) / variance.squareRoot() : 0
            }
        }
    }
}
