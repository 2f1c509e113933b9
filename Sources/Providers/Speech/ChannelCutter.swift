import MediaKit

/// Cuts a recording into chunks: the channels mixed, each by itself, or as they turn out to be.
struct ChannelCutter {
    private let wish: TranscriptionRequest.Channels
    private let cutting: SpeechCutting
    private let sampleRate: Int
    private var decision: ChannelDecision
    private var chunkers: [SpeechChunker]?
    private var isSeparate = false
    /// What came before it was decided: five minutes at most.
    private var waiting: [SoundBlock] = []
    private var chunks = 0
    /// How many channels are recognised each by itself; `nil` until it is known.
    var channelCount: Int? { chunkers?.count }
    /// Samples of each channel so far, those before the first one counted.
    private(set) var end: Int64 = 0

    init(_ wish: TranscriptionRequest.Channels, cutting: SpeechCutting, sampleRate: Int) {
        self.wish = wish
        self.cutting = cutting
        self.sampleRate = sampleRate
        decision = ChannelDecision(sampleRate: sampleRate)
    }

    mutating func append(_ block: SoundBlock) -> [SpeechChunk] {
        end = block.start + Int64(block.samples.first?.count ?? 0)
        if chunkers == nil {
            waiting.append(block)
            switch (wish, block.samples.count) {
            case (.mixed, _), (_, ...1): begin(channels: nil)
            case (.separate, let count): begin(channels: count)
            case (.automatic, 2):
                decision.add(block.samples[0], block.samples[1])
                guard let isCall = decision.isCall else { return [] }
                begin(channels: isCall ? 2 : nil)
            case (.automatic, _): begin(channels: nil)
            }
            defer { waiting = [] }
            return waiting.flatMap { cut($0) }
        }
        return cut(block)
    }

    mutating func finish() -> [SpeechChunk] {
        var found: [SpeechChunk] = []
        if chunkers == nil {
            decision.finish()
            begin(channels: decision.isCall == true ? 2 : nil)
            for block in waiting { found += cut(block) }
            waiting = []
        }
        for index in (chunkers ?? []).indices { found += numbered(chunkers?[index].finish() ?? []) }
        return found
    }

    private mutating func begin(channels: Int?) {
        isSeparate = channels != nil
        chunkers = (0..<(channels ?? 1)).map {
            SpeechChunker(cutting, channel: channels == nil ? nil : $0, sampleRate: sampleRate)
        }
    }

    private mutating func cut(_ block: SoundBlock) -> [SpeechChunk] {
        guard let count = chunkers?.count else { return [] }
        var found: [SpeechChunk] = []
        for index in 0..<count {
            let samples = isSeparate ? Self.channel(index, of: block.samples) : Self.mixed(block.samples)
            found += numbered(chunkers?[index].append(samples, start: block.start) ?? [])
        }
        return found
    }

    private mutating func numbered(_ found: [SpeechChunk]) -> [SpeechChunk] {
        found.map { chunk in
            var chunk = chunk
            chunk.index = chunks
            chunks += 1
            return chunk
        }
    }

    /// A channel that the sound no longer has is silent: what comes behind it must keep its time.
    private static func channel(_ index: Int, of channels: [[Int16]]) -> [Int16] {
        index < channels.count ? channels[index] : Array(repeating: 0, count: channels.first?.count ?? 0)
    }

    /// The mean of the channels, which cannot clip.
    private static func mixed(_ channels: [[Int16]]) -> [Int16] {
        guard channels.count > 1 else { return channels.first ?? [] }
        return channels[0].indices.map { index in
            Int16(clamping: channels.reduce(0) { $0 + Int($1[index]) } / channels.count)
        }
    }
}
