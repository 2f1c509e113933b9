public import MediaKit

/// Tells what is said in a recording.
///
/// ```swift
/// let transcript = try await PocketSphinxTranscriber().transcribe(
///     TranscriptionRequest(input: "talk.mp4"), media: MediaEngine(), progress: nil)
/// ```
public protocol Transcriber: Sendable {
    /// With the model: "pocketsphinx", "openai:whisper-1". What ``Transcript/engine`` says.
    var engineName: String { get }
    /// How far its transcripts can be relied on.
    var quality: Transcript.Quality { get }

    /// Reads the recording's sound once, and recognises it.
    ///
    /// - Parameters:
    ///   - media: opens the input, by its own resolver.
    ///   - progress: of what is recognised, 0 to 1; called from any task, in order.
    /// - Throws: ``MediaError`` for what is wrong with the input, ``ProviderError`` for the rest; `CancellationError`.
    func transcribe(
        _ request: TranscriptionRequest, media: MediaEngine, progress: (@Sendable (Double) -> Void)?
    ) async throws -> Transcription
}

/// A recording, and what is known of it.
public struct TranscriptionRequest: Sendable, Equatable {
    /// A location that the engine's resolver knows.
    public var input: String
    /// The sound track, counted from 0; `nil` for the one that players choose.
    public var track: Int?
    /// An ISO 639-1 code; `nil` to have it found out, where the recogniser can.
    public var language: String?
    /// Names and terms that occur, or the text before: recognisers that can lean towards it.
    public var prompt: String?
    /// What becomes of several channels.
    public var channels: Channels
    /// Who speaks on which channel, by its number; those beyond are "Speaker 3" and so on. Only for separate ones.
    public var speakers: [String]
    /// Seconds of the input; the transcript's times stay those of the input.
    public var start: Double?
    /// Seconds of the input.
    public var end: Double?

    /// What becomes of the channels of a recording.
    public enum Channels: String, Codable, Sendable, CaseIterable {
        /// Mixed to one.
        case mixed
        /// Each is recognised by itself, and speaks for itself: both sides of a call.
        case separate
        /// Separate if there are two that differ as two sides of a call do, else mixed.
        case automatic
    }

    public init(
        input: String, track: Int? = nil, language: String? = nil, prompt: String? = nil, channels: Channels = .mixed,
        speakers: [String] = [], start: Double? = nil, end: Double? = nil
    ) {
        self.input = input
        self.track = track
        self.language = language
        self.prompt = prompt
        self.channels = channels
        self.speakers = speakers
        self.start = start
        self.end = end
    }
}

/// A transcript, and what it took.
public struct Transcription: Codable, Sendable, Equatable {
    public var transcript: Transcript
    public var usage: TranscriptionUsage

    public init(transcript: Transcript, usage: TranscriptionUsage) {
        self.transcript = transcript
        self.usage = usage
    }
}

/// What a recognition took.
public struct TranscriptionUsage: Codable, Sendable, Equatable {
    /// Seconds of sound that were recognised, those of overlaps and of each channel counted.
    public var audioSeconds: Double
    /// Requests that were answered; 0 in this process.
    public var requests: Int
    /// US dollars by the price that is set for a minute; `nil` where none is.
    public var cost: Double?
    /// Bytes read of the input.
    public var bytesRead: Int64

    public init(audioSeconds: Double, requests: Int, cost: Double? = nil, bytesRead: Int64) {
        self.audioSeconds = audioSeconds
        self.requests = requests
        self.cost = cost
        self.bytesRead = bytesRead
    }
}
