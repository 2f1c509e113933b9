import MediaKit
import Providers

/// How a job wants speech to be recognised.
///
/// ```json
/// {"engine": "openai", "language": "en", "prompt": "Kiln, libav", "channels": "separate", "speakers": ["Caller", "Agent"]}
/// ```
struct SpeechWish: Decodable, Sendable, Equatable {
    /// `nil` for the worker's own.
    var engine: ServiceProviders.SpeechEngine?
    /// An ISO 639-1 code; `nil` to have it found out.
    var language: String?
    /// Names and terms that occur.
    var prompt: String?
    var channels: TranscriptionRequest.Channels
    /// Who is heard on which channel, from the first.
    var speakers: [String]
    /// The sound track, counted from 0.
    var track: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case engine, language, prompt, channels, speakers, track
    }

    init() {
        channels = .mixed
        speakers = []
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue))
        let values = try decoder.container(keyedBy: CodingKeys.self)
        engine = try values.decodeIfPresent(ServiceProviders.SpeechEngine.self, forKey: .engine)
        language = try values.decodeIfPresent(String.self, forKey: .language)
        prompt = try values.decodeIfPresent(String.self, forKey: .prompt)
        channels = try values.decodeIfPresent(TranscriptionRequest.Channels.self, forKey: .channels) ?? .mixed
        speakers = try values.decodeIfPresent([String].self, forKey: .speakers) ?? []
        track = try values.decodeIfPresent(Int.self, forKey: .track)
    }

    func request(_ input: String) -> TranscriptionRequest {
        TranscriptionRequest(
            input: input, track: track, language: language, prompt: prompt, channels: channels, speakers: speakers)
    }
}
