/// Cuts one channel into chunks for a recogniser, while it is read.
///
/// A cut lies in the longest pause before the chunk would be too long, else at the quietest moment. Around it the
/// neighbours overlap, so that a word at the cut is whole in one of them at least. What is silent is left out; the
/// times stay those of the source.
///
/// Holds the sound of one chunk.
public struct SpeechChunker: Sendable {
    private let cutting: SpeechCutting
    private let channel: Int?
    private let sampleRate: Int
    private let frame: Int

    private var samples: [Int16] = []
    /// The number of the first one in `samples`, of the source.
    private var base: Int64?
    /// Of each whole frame in `samples`.
    private var levels: [Float] = []
    private var statistics = SpeechLevels()
    /// The frame in `levels` at which the last cut lies: what is before it belongs to the chunk before.
    private var core = 0
    /// How many frames had come when it was last looked for a place to cut.
    private var lookedAt = 0

    /// - Parameters:
    ///   - channel: what the chunks say.
    ///   - sampleRate: of the blocks, in Hz.
    public init(_ cutting: SpeechCutting = SpeechCutting(), channel: Int? = nil, sampleRate: Int = 16_000) {
        self.cutting = cutting
        self.channel = channel
        self.sampleRate = sampleRate
        frame = SpeechLevels.frameLength(sampleRate)
    }

    /// Takes the next samples.
    ///
    /// - Parameter start: the first one's number; they follow those before without a gap.
    /// - Returns: the chunks that are complete now, each with index 0.
    public mutating func append(_ new: [Int16], start: Int64) -> [SpeechChunk] {
        if base == nil { base = start }
        samples += new
        while (levels.count + 1) * frame <= samples.count {
            let level = SpeechLevels.level(samples[levels.count * frame..<(levels.count + 1) * frame])
            levels.append(level)
            statistics.add(level)
        }
        var chunks: [SpeechChunk] = []
        while levels.count - lookedAt >= 25 || levels.count >= longest {
            guard let end = cut() else {
                lookedAt = levels.count
                break
            }
            chunks += take(end)
        }
        return chunks
    }

    /// The rest.
    public mutating func finish() -> [SpeechChunk] {
        var chunks: [SpeechChunk] = []
        while !levels.isEmpty, let end = cut() { chunks += take(end) }
        if !samples.isEmpty { chunks += take(Cut(end: levels.count, core: levels.count, next: levels.count)) }
        samples = []
        levels = []
        return chunks
    }

    // MARK: Where

    /// Frames of `levels`.
    private struct Cut {
        /// Where the chunk ends.
        var end: Int
        /// Which words are whose.
        var core: Int
        /// Where the next one begins.
        var next: Int
    }

    private func frames(_ seconds: Double) -> Int { Int(seconds * Double(sampleRate) / Double(frame)) }
    private var longest: Int { frames(cutting.longest) }

    private func cut() -> Cut? {
        let quiet = statistics.quietLevel
        if let cut = cutAtSilence(quiet) ?? cutAtPause(quiet) { return cut }
        guard levels.count >= longest else { return nil }
        let quarter = frames(cutting.overlap / 4)
        let limit = longest - 3 * quarter
        let window = max(core + quarter, limit - max(min(longest / 4, frames(60)), frames(1)))..<limit
        let pause = SpeechLevels.longestPause(in: levels[window], below: quiet, minimum: frames(cutting.pause))
        if let pause, cutting.cutsAfter != nil {
            let middle = pause.lowerBound + pause.count / 2
            return Cut(end: middle, core: middle, next: middle)
        }
        let place = pause.map { $0.lowerBound + $0.count / 2 } ?? SpeechLevels.quietest(in: levels[window], width: 15)
        guard quarter > 0 else { return Cut(end: place, core: place, next: place) }
        return Cut(
            end: SpeechLevels.quietest(in: levels[place + quarter..<min(levels.count, place + 3 * quarter)], width: 10),
            core: place,
            next: SpeechLevels.quietest(in: levels[max(0, place - 3 * quarter)..<max(1, place - quarter)], width: 10))
    }

    /// A long silence ends a chunk, and is not handed on.
    private func cutAtSilence(_ quiet: Float) -> Cut? {
        let silence = frames(cutting.longestSilence)
        guard levels.count >= silence, SpeechLevels.voice(in: levels.suffix(silence), above: quiet) == nil else {
            return nil
        }
        let next = levels.count - frames(1)
        return Cut(end: next, core: next, next: next)
    }

    private func cutAtPause(_ quiet: Float) -> Cut? {
        guard let after = cutting.cutsAfter, levels.count > frames(after),
            let voice = SpeechLevels.voice(in: levels[...], above: quiet)
        else { return nil }
        let from = voice.lowerBound + frames(after)
        guard from < voice.upperBound || levels.count - voice.upperBound >= frames(cutting.pause) else { return nil }
        let searched = levels[min(max(from, core), levels.count)...]
        // A pause that has not ended yet is one already.
        guard
            let pause = SpeechLevels.firstPause(in: searched, below: quiet, minimum: frames(cutting.pause)),
            pause.lowerBound < longest
        else { return nil }
        let place = pause.lowerBound + min(pause.count, frames(cutting.pause)) / 2
        return Cut(end: place, core: place, next: place)
    }

    // MARK: Taking

    /// The chunk up to a cut, unless it is silent; what lies before the next one is dropped.
    private mutating func take(_ cut: Cut) -> [SpeechChunk] {
        let isLast = cut.end == levels.count && cut.next == levels.count
        let quiet = statistics.quietLevel
        var chunks: [SpeechChunk] = []
        if let base, SpeechLevels.voice(in: levels[min(core, cut.end)..<cut.end], above: quiet) != nil,
            let voice = SpeechLevels.voice(in: levels[..<cut.end], above: quiet)
        {
            // Half a second is kept, and less than a second is not worth leaving out.
            var bounds = 0..<(isLast ? samples.count : cut.end * frame)
            let rate = Double(sampleRate)
            let covers =
                (Double(base) / rate)..<(Double(base + Int64(bounds.upperBound)) / rate)
            if voice.lowerBound > frames(1) { bounds = (voice.lowerBound - frames(0.5)) * frame..<bounds.upperBound }
            if cut.end - voice.upperBound > frames(1) {
                bounds = bounds.lowerBound..<(voice.upperBound + frames(0.5)) * frame
            }
            func seconds(_ index: Int) -> Double { Double(base + Int64(index * frame)) / rate }
            chunks.append(
                SpeechChunk(
                    index: 0, channel: channel, firstSample: base + Int64(bounds.lowerBound),
                    samples: Array(samples[bounds]), sampleRate: sampleRate, covers: covers,
                    voiced: seconds(voice.lowerBound)..<seconds(voice.upperBound), quietLevel: quiet))
        }
        let dropped = min(cut.next * frame, samples.count)
        samples.removeFirst(dropped)
        levels.removeFirst(min(cut.next, levels.count))
        base = base.map { $0 + Int64(dropped) }
        core = max(0, cut.core - cut.next)
        lookedAt = 0
        return chunks
    }
}
