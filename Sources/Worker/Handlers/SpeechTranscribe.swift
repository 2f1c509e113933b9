import FoundationEssentials
import JobQueue
import MediaKit
import Providers

/// Tells what is said in a recording, and when.
enum SpeechTranscribe: JobKind {
    static let name = "speech.transcribe"
    static let summary = "Recognise speech; write it as subtitles, JSON or text."
    static let weight = KindWeight(cores: 0.25, memory: 128 << 20)
    static let makesFiles = true

    struct Payload: Decodable, Sendable {
        var request: TranscriptionRequest
        var engine: ServiceProviders.SpeechEngine?
        var formats: [TranscriptFormat]
        /// Empty where it is left to the worker.
        var output: String
        var captions: CaptionRules
        var overwrite: Bool
        var webhook: WebhookTarget?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case input, track, language, prompt, engine, channels, speakers, start, end, formats, output, captions
            case overwrite, webhook
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue) + PayloadEnvelope.keys)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            request = TranscriptionRequest(
                input: try values.decode(String.self, forKey: .input),
                track: try values.decodeIfPresent(Int.self, forKey: .track),
                language: try values.decodeIfPresent(String.self, forKey: .language),
                prompt: try values.decodeIfPresent(String.self, forKey: .prompt),
                channels: try values.decodeIfPresent(TranscriptionRequest.Channels.self, forKey: .channels) ?? .mixed,
                speakers: try values.decodeIfPresent([String].self, forKey: .speakers) ?? [],
                start: try values.decodeIfPresent(Double.self, forKey: .start),
                end: try values.decodeIfPresent(Double.self, forKey: .end))
            engine = try values.decodeIfPresent(String.self, forKey: .engine).map { name in
                guard let engine = ServiceProviders.SpeechEngine(rawValue: name) else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .engine, in: values,
                        debugDescription: "it must be one of \(SpeechTranscribe.engineNames.joined(separator: ", "))")
                }
                return engine
            }
            formats = try values.decodeIfPresent([TranscriptFormat].self, forKey: .formats) ?? [.json, .srt, .vtt]
            guard !formats.isEmpty, Set(formats).count == formats.count else {
                throw DecodingError.dataCorruptedError(
                    forKey: .formats, in: values, debugDescription: "there must be one, and each but once")
            }
            output = try values.decodeIfPresent(String.self, forKey: .output) ?? ""
            captions = try values.decodeIfPresent(CaptionRules.self, forKey: .captions) ?? CaptionRules()
            overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
            webhook = try values.decodeIfPresent(WebhookTarget.self, forKey: .webhook)
        }
    }

    static let engineNames = ServiceProviders.SpeechEngine.allCases.map(\.rawValue)

    static var schema: JSONSchema {
        get throws {
            let seconds: [String: JSONValue] = ["minimum": 0, "maximum": 1_000_000_000]
            return JSONSchema.object(
                [
                    "input": JSONSchema.string.adding([
                        "description": "Where it is read from: s3://bucket/key, store://key, https://… or file:///path."
                    ]),
                    "track": JSONSchema.integer.orNull.adding([
                        "minimum": 0, "description": "The sound track, counted from 0; as a player chooses without it.",
                    ]),
                    "language": JSONSchema.string.orNull.adding([
                        "description": "An ISO 639-1 code; found out without it, where the engine can."
                    ]),
                    "prompt": JSONSchema.string.orNull.adding([
                        "description": "Names and terms that occur, for engines that can lean towards them."
                    ]),
                    "engine": JSONSchema.names(engineNames).orNull.adding([
                        "description": "What recognises it; what the worker is set to without it."
                    ]),
                    "channels": JSONSchema.names(TranscriptionRequest.Channels.allCases.map(\.rawValue)).orNull.adding([
                        "description": "Mixed to one, which is the default, each by itself, or as they turn out to be."
                    ]),
                    "speakers": JSONSchema.array(of: .string).orNull.adding([
                        "description": "Who speaks on which channel, where each is by itself."
                    ]),
                    "start": JSONSchema.number.orNull.adding(seconds),
                    "end": JSONSchema.number.orNull.adding(seconds),
                    "formats": JSONSchema.array(of: .names(TranscriptFormat.allCases.map(\.rawValue))).orNull.adding([
                        "minItems": 1, "uniqueItems": true,
                        "description": "What is written; json, srt and vtt without it.",
                    ]),
                    "output": JSONSchema.string.orNull.adding([
                        "description": .string(
                            "Where it is written to, with {extension} for each format's; {jobId}, {timestamp} "
                                + "and {kind} are filled in. Left out, it is a key of the job's own in the default store."
                        )
                    ]),
                    "captions": try SchemaRecorder.schema(of: CaptionRules.self).orNull.adding([
                        "description": "How speech is cut into captions."
                    ]),
                    "overwrite": JSONSchema.boolean.orNull,
                ].merging(PayloadEnvelope.properties) { $1 }, required: ["input"]
            ).adding(["$schema": "https://json-schema.org/draft/2020-12/schema"])
        }
    }

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> SpeechResult {
        let payload = job.payload
        var run = MediaRun(job.context, services)
        run.span.phase = "transcribing"
        let speech = SpeechRun(run)
        try payload.captions.validate()
        try await speech.tryOutputs(payload.formats, to: payload.output, overwrite: payload.overwrite)
        let start = ContinuousClock.now
        let made = try await speech.transcribe(payload.request, engine: payload.engine)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let outputs = try await speech.write(
            made.transcript, as: payload.formats, rules: payload.captions, to: payload.output,
            overwrite: payload.overwrite)
        var media = JobResult(timings: run.timings(process: seconds, made: made.transcript.duration))
        media.take(outputs)
        media.duration = made.transcript.duration
        return SpeechResult(media, made)
    }
}

/// What a recognition has made: what every media job's result has, and what was recognised.
struct SpeechResult: Encodable, Sendable {
    var media: JobResult
    var speech: Speech

    struct Speech: Encodable, Sendable {
        var engine: String?
        var quality: Transcript.Quality?
        var language: String?
        /// How many there are.
        var words: Int
        var segments: Int
        /// The beginning of what is said.
        var text: String
        var usage: TranscriptionUsage
    }

    /// Characters of the beginning.
    private static let previewLength = 500

    init(_ media: JobResult, _ made: Transcription) {
        let transcript = made.transcript
        self.media = media
        let text = transcript.segments.map(\.text).joined(separator: " ")
        speech = Speech(
            engine: transcript.engine, quality: transcript.quality, language: transcript.language,
            words: transcript.wordCount,
            segments: transcript.segments.count,
            text: text.count > Self.previewLength ? text.prefix(Self.previewLength) + "…" : text, usage: made.usage)
    }

    /// Both on one level.
    func encode(to encoder: any Encoder) throws {
        try media.encode(to: encoder)
        try speech.encode(to: encoder)
    }
}
