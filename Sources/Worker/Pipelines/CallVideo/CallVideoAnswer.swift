import MediaKit

extension CallVideo {
    /// The video that was made, as of any media job, and what came with it.
    struct Answer: Encodable, Sendable {
        var result: JobResult
        /// A picture of it.
        var thumbnail: JobResult.Output?
        /// `nil` where no words were asked for.
        var speech: SpeechSummary?
        /// Where the transcript is, with the times of the words in the call: `s3://bucket/key`.
        var transcript: String?
        var loudness: Loudness

        private enum CodingKeys: String, CodingKey {
            case thumbnail, speech, transcript
            // A media job's `loudness` is a list.
            case loudness = "callLoudness"
        }

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encodeIfPresent(thumbnail, forKey: .thumbnail)
            try values.encodeIfPresent(speech, forKey: .speech)
            try values.encodeIfPresent(transcript, forKey: .transcript)
            try values.encode(loudness, forKey: .loudness)
        }
    }

    /// How loud the call was and is: LUFS, and decibels between them.
    struct Loudness: Codable, Sendable {
        /// `nil` for silence.
        var before: Double?
        var after: Double?
        var gain: Double
    }
}
