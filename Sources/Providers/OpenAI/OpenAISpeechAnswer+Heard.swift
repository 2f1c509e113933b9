import Glibc
import MediaKit

extension OpenAISpeechAnswer {
    /// What was said in a chunk, with times of the source.
    ///
    /// - Returns: segments, and the starts of those that look like a loop of the model's: the same again and again.
    func heard(in chunk: SpeechChunk) -> (segments: [Transcript.Segment], loops: [Double]) {
        let words = words.map {
            Transcript.Word(
                start: chunk.second($0.start), end: max(chunk.second($0.start), chunk.second($0.end)), text: $0.text,
                confidence: $0.probability.map { min(max($0, 0), 1) })
        }
        guard !segments.isEmpty else {
            if !words.isEmpty { return (WordAlignment.segments(of: words, text: text), []) }
            guard !text.isEmpty else { return ([], []) }
            // Text alone: it was said where voice is to be heard.
            return ([.init(start: chunk.voiced.lowerBound, end: chunk.voiced.upperBound, text: text)], [])
        }
        var kept: [Transcript.Segment] = []
        var dropped: [ClosedRange<Double>] = []
        var loops: [Double] = []
        for segment in segments {
            let start = chunk.second(segment.start)
            let end = max(start, chunk.second(segment.end))
            let text = segment.text.trimmed
            guard !text.isEmpty else { continue }
            // What was made up where there is nothing to be heard. Where there is, it stays: it may have been said.
            let isRepeated = kept.last.map { TokenAlignment.key($0.text) == TokenAlignment.key(text) } ?? false
            if segment.isDoubted || isRepeated, !chunk.hasVoice(from: start, to: end) {
                dropped.append(start...end)
                continue
            }
            if segment.isLoop { loops.append(start) }
            kept.append(
                Transcript.Segment(
                    start: start, end: end, text: text,
                    confidence: segment.averageLogProbability.map { min(1, exp($0)) }, speaker: segment.speaker))
        }
        for index in kept.indices.dropFirst(3) {
            let four = kept[index - 3...index].map { TokenAlignment.key($0.text) }
            if Set(four).count == 1 { loops.append(kept[index].start) }
        }
        let usable = words.filter { word in
            let middle = (word.start + word.end) / 2
            // Two segments may share a moment: the words are those of the one that stays.
            return !dropped.contains { $0.contains(middle) } || kept.contains { $0.start <= middle && middle < $0.end }
        }
        guard !usable.isEmpty, !kept.isEmpty || dropped.isEmpty else { return (kept, loops) }
        if let aligned = WordAlignment.aligned(kept, with: usable) { return (aligned.map(\.fittedToWords), loops) }
        return (WordAlignment.segments(of: usable, text: ""), loops)
    }
}

/// By Whisper's own thresholds, https://github.com/openai/whisper/blob/main/whisper/transcribe.py
extension OpenAISpeechAnswer.Segment {
    /// Text that compresses well: the same again and again.
    fileprivate var isLoop: Bool { (compressionRatio ?? 0) > 2.4 }

    /// What the model itself does not believe in.
    fileprivate var isDoubted: Bool {
        isLoop || (noSpeechProbability ?? 0) > 0.6 && (averageLogProbability ?? 0) < -1
    }
}

extension SpeechChunk {
    /// A second of the source, of one of the chunk.
    fileprivate func second(_ second: Double) -> Double { start + min(max(second, 0), duration) }
}

extension Transcript.Segment {
    /// Words tell the time better than segments do, whose ends the model rounds.
    fileprivate var fittedToWords: Transcript.Segment {
        guard let first = words.first, let last = words.last else { return self }
        var segment = self
        segment.start = first.start
        segment.end = max(first.start, last.end)
        return segment
    }
}
