import Locking
public import MediaKit
import Transfer

/// What all recognisers share: a recording is read once, cut, recognised chunk by chunk, and put together again.
///
/// ```swift
/// let heard = try await SpeechRecognition(request, atATime: 4).run(media) { chunk in
///     Heard(segments: try await recognise(chunk.samples))
/// }
/// ```
public struct SpeechRecognition: Sendable {
    /// What was recognised in one chunk.
    public struct Heard: Sendable {
        /// In order, with times of the source.
        public var segments: [Transcript.Segment]
        /// An ISO 639-1 code, if it was found out.
        public var language: String?
        /// Seconds of sound that were recognised for it.
        public var audioSeconds: Double
        /// Requests that were answered.
        public var requests: Int

        public init(
            segments: [Transcript.Segment], language: String? = nil, audioSeconds: Double, requests: Int = 0
        ) {
            self.segments = segments
            self.language = language
            self.audioSeconds = audioSeconds
            self.requests = requests
        }
    }

    /// What was recognised in all.
    public struct Result: Sendable {
        public var segments: [Transcript.Segment]
        /// The language of most of what was said.
        public var language: String?
        /// Seconds of the source.
        public var duration: Double
        public var audioSeconds: Double
        public var requests: Int
        /// Bytes read of the input.
        public var bytesRead: Int64
    }

    private let request: TranscriptionRequest
    private let cutting: SpeechCutting
    private let sampleRate: Int
    private let atATime: Int

    /// - Parameters:
    ///   - sampleRate: of the chunks, in Hz.
    ///   - atATime: how many chunks are recognised at the same time; with 1 they come in order of their index.
    public init(
        _ request: TranscriptionRequest, cutting: SpeechCutting = SpeechCutting(), sampleRate: Int = 16_000,
        atATime: Int = 1
    ) {
        self.request = request
        self.cutting = cutting
        self.sampleRate = sampleRate
        self.atATime = max(1, atATime)
    }

    /// Reads the recording and calls `recognise` with each chunk in which something is heard; not at all if it is
    /// silent.
    ///
    /// - Parameters:
    ///   - progress: of the seconds recognised, 0 to 1, in order.
    ///   - recognise: returns what it heard. A call that blocks belongs on a thread of its own.
    /// - Throws: ``MediaError`` of the reading, `CancellationError`, what `recognise` throws. Then nothing of it runs
    ///   any longer.
    public func run(
        _ media: MediaEngine, progress: (@Sendable (Double) -> Void)? = nil,
        _ recognise: @escaping @Sendable (SpeechChunk) async throws -> Heard
    ) async throws -> Result {
        let handoff = ChunkHandoff(capacity: 1)
        let meter = RecognitionProgress(request, progress)
        let pieces = Locked<[Piece]>([])
        let facts: ReadFacts
        do {
            facts = try await withTaskCancellationHandler {
                try await withThrowingTaskGroup(of: ReadFacts?.self) { group in
                    group.addTask { try await self.read(media, handoff, meter) }
                    for _ in 0..<atATime {
                        group.addTask {
                            while let chunk = await handoff.next() {
                                try Task.checkCancellation()
                                let heard = try await recognise(chunk)
                                pieces.withLock { $0.append(Piece(chunk, heard)) }
                                meter.recognised(chunk)
                            }
                            return nil
                        }
                    }
                    var facts: ReadFacts?
                    do {
                        while let result = try await group.next() { facts = result ?? facts }
                    } catch {
                        // The reader's thread may wait for somebody to take a chunk.
                        handoff.close()
                        throw error
                    }
                    guard let facts else { throw CancellationError() }
                    return facts
                }
            } onCancel: {
                handoff.close()
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw error
        }
        try Task.checkCancellation()
        meter.finish()
        return result(pieces.withLock { $0.sorted { $0.index < $1.index } }, facts)
    }

    // MARK: Reading

    private struct ReadFacts: Sendable {
        var duration: Double
        var bytesRead: Int64
    }

    private func read(
        _ media: MediaEngine, _ handoff: ChunkHandoff, _ meter: RecognitionProgress
    ) async throws -> ReadFacts {
        let request = SoundRequest(
            input: request.input, track: request.track, sampleRate: sampleRate,
            isMono: request.channels == .mixed, start: request.start, end: request.end)
        let cutter = Locked(ChannelCutter(self.request.channels, cutting: cutting, sampleRate: sampleRate))
        let facts = try await media.readSound(request, progress: { meter.read($0) }) { block in
            let chunks = cutter.withLock { cutter in
                defer { cutter.channelCount.map(meter.cut) }
                return cutter.append(block)
            }
            for chunk in chunks { try handoff.offer(chunk) }
        }
        let (rest, end) = cutter.withLock { cutter in
            let rest = cutter.finish()
            cutter.channelCount.map(meter.cut)
            return (rest, cutter.end)
        }
        meter.readAll(to: Double(end) / Double(sampleRate))
        // Few, but they may have to wait: not on this thread, which is Swift's.
        try await OwnThread.run { for chunk in rest { try handoff.offer(chunk) } }
        handoff.finish()
        return ReadFacts(duration: Double(end) / Double(facts.sampleRate), bytesRead: facts.bytesRead)
    }

    // MARK: Together

    private struct Piece: Sendable {
        var index: Int
        var channel: Int?
        var piece: TranscriptMerger.Piece
        var heard: Heard

        init(_ chunk: SpeechChunk, _ heard: Heard) {
            index = chunk.index
            channel = chunk.channel
            piece = TranscriptMerger.Piece(covers: chunk.covers, segments: heard.segments)
            self.heard = heard
        }
    }

    private func result(_ pieces: [Piece], _ facts: ReadFacts) -> Result {
        var channels: [[Transcript.Segment]] = []
        for channel in Set(pieces.map(\.channel)).sorted(by: { ($0 ?? -1) < ($1 ?? -1) }) {
            let own = pieces.filter { $0.channel == channel }.sorted {
                $0.piece.covers.lowerBound < $1.piece.covers.lowerBound
            }
            var segments = TranscriptMerger.merge(own.map(\.piece))
            if let channel {
                for index in segments.indices {
                    segments[index].channel = channel
                    segments[index].speaker =
                        channel < request.speakers.count ? request.speakers[channel] : "Speaker \(channel + 1)"
                }
            }
            channels.append(segments)
        }
        var languages: [String: Double] = [:]
        for piece in pieces {
            guard let language = piece.heard.language else { continue }
            languages[language, default: 0] += piece.heard.audioSeconds
        }
        return Result(
            segments: TranscriptMerger.interleaved(channels),
            language: languages.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key, duration: facts.duration,
            audioSeconds: pieces.reduce(0) { $0 + $1.heard.audioSeconds },
            requests: pieces.reduce(0) { $0 + $1.heard.requests }, bytesRead: facts.bytesRead)
    }
}
