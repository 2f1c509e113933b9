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

    /// A file beside the result.
    struct Sidecar: Codable, Sendable {
        var format: TranscriptFormat
        var output: JobResult.Output
    }
}
