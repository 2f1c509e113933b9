import MediaKit
import Providers

extension CaptionVideo {
    /// The video that was made, as of any media job, and what its captions say.
    struct Answer: Encodable, Sendable {
        var result: JobResult
        /// `nil` where subtitles were given and used as they are.
        var speech: SpeechSummary?
        /// Where the transcript is, with the times of the words: `s3://bucket/key`.
        var transcript: String?
        var sidecars: [Sidecar]

        private enum CodingKeys: String, CodingKey {
            case speech, transcript, sidecars
        }

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encodeIfPresent(speech, forKey: .speech)
            try values.encodeIfPresent(transcript, forKey: .transcript)
            try values.encode(sidecars, forKey: .sidecars)
        }
    }

    /// What was recognised, without the words.
    struct SpeechSummary: Codable, Sendable {
        /// "pocketsphinx", "openai:whisper-1"; `nil` where people wrote it.
        var engine: String?
        var quality: Transcript.Quality?
        var language: String?
        /// How many segments and words there are.
        var segments: Int
        var words: Int
        var usage: TranscriptionUsage?

        init(_ transcript: Transcript, usage: TranscriptionUsage?) {
            engine = transcript.engine
            quality = transcript.quality
            language = transcript.language
            segments = transcript.segments.count
            words = transcript.segments.reduce(0) { count, segment in
                count + (segment.words.isEmpty ? segment.text.split(separator: " ").count : segment.words.count)
            }
            self.usage = usage
        }
    }

    /// A file beside the result.
    struct Sidecar: Codable, Sendable {
        var format: TranscriptFormat
        var output: JobResult.Output
    }
}
