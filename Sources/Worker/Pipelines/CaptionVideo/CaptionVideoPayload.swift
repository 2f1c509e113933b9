import FoundationEssentials
import JobQueue
import MediaKit
import Providers

extension CaptionVideo {
    /// A video, and what its captions are to be.
    ///
    /// ```json
    /// {"input": "store://uploads/talk.mp4", "captions": {"preset": "karaoke"}, "translate": "de", "sidecars": ["srt"]}
    /// ```
    struct Payload: Decodable, Sendable {
        var input: String
        /// What is said, where that is known; `nil` has it recognised.
        var subtitles: SubtitleInput?
        var speech: SpeechWish
        /// The language that the captions are to be in, where it is another than what is spoken.
        var translate: String?
        /// How captions are cut and words shown; `nil` for plain captions in `style`.
        var captions: CaptionLook?
        var style: CaptionStyle
        /// Locations of font files.
        var fonts: [String]
        /// Whether they are drawn into the pictures. Default true.
        var burns: Bool
        /// Whether they become a track of the result, too. Default false.
        var addsTrack: Bool
        /// Files that are written beside the result.
        var sidecars: [TranscriptFormat]
        /// Empty where it is left to the worker.
        var output: String
        var container: Container?
        var video: VideoSettings
        var audio: AudioSettings
        var overwrite: Bool
        var threads: Int?
        var limits: Limits
        var webhook: WebhookTarget?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case input, subtitles, speech, translate, captions, style, fonts
            case burns = "burn"
            case addsTrack = "textTrack"
            case sidecars, output, container, video, audio, overwrite, threads, limits, webhook
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue) + PayloadEnvelope.keys)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            input = try values.decode(String.self, forKey: .input)
            subtitles = try values.decodeIfPresent(SubtitleInput.self, forKey: .subtitles)
            speech = try values.decodeIfPresent(SpeechWish.self, forKey: .speech) ?? SpeechWish()
            translate = try values.decodeIfPresent(String.self, forKey: .translate)
            captions = try values.decodeIfPresent(CaptionLook.self, forKey: .captions)
            style = try values.decodeIfPresent(CaptionStyle.self, forKey: .style) ?? CaptionStyle()
            fonts = try values.decodeIfPresent([String].self, forKey: .fonts) ?? []
            burns = try values.decodeIfPresent(Bool.self, forKey: .burns) ?? true
            addsTrack = try values.decodeIfPresent(Bool.self, forKey: .addsTrack) ?? false
            sidecars = try values.decodeIfPresent([TranscriptFormat].self, forKey: .sidecars) ?? []
            output = try values.decodeIfPresent(String.self, forKey: .output) ?? ""
            container = try values.decodeIfPresent(Container.self, forKey: .container)
            video = try values.decodeIfPresent(VideoSettings.self, forKey: .video) ?? VideoSettings()
            audio = try values.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? AudioSettings()
            overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
            threads = try values.decodeIfPresent(Int.self, forKey: .threads)
            limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
            webhook = try values.decodeIfPresent(WebhookTarget.self, forKey: .webhook)
            guard burns || addsTrack || !sidecars.isEmpty else {
                throw DecodingError.dataCorruptedError(
                    forKey: .burns, in: values,
                    debugDescription:
                        "with neither burn nor textTrack nor sidecars, nothing would become of the captions")
            }
            // What is asked only once an hour was listened to would have been listened to in vain.
            if let translate, !TranscriptTranslator.isLanguage(translate) {
                throw DecodingError.dataCorruptedError(
                    forKey: .translate, in: values, debugDescription: "it must be a tag such as de or pt-BR")
            }
            guard Set(sidecars).count == sidecars.count else {
                throw DecodingError.dataCorruptedError(
                    forKey: .sidecars, in: values, debugDescription: "each may be there but once")
            }
            if case .embedded = subtitles, translate != nil || addsTrack || !sidecars.isEmpty {
                throw DecodingError.dataCorruptedError(
                    forKey: .subtitles, in: values,
                    debugDescription: "an embedded track can be burnt in; to translate or write it, give it as a file")
            }
        }
    }

    static var schema: JSONSchema {
        get throws {
            let request = try SchemaRecorder.schema(of: BurnSubtitles.self).members.properties
            func taken(_ keys: [String]) -> [String: JSONSchema] {
                var taken: [String: JSONSchema] = [:]
                for key in keys {
                    if case .object(let keywords)? = request[key] { taken[key] = JSONSchema(keywords) }
                }
                return taken
            }
            var properties: [String: JSONSchema] = [
                "input": JSONSchema.string.adding([
                    "description": "The video: s3://bucket/key, store://key, https://… or file:///path."
                ]),
                "subtitles": try SubtitleInput.schema.orNull.adding([
                    "description": "What is said, where that is known. Left out, it is recognised."
                ]),
                "speech": try SpeechWish.schema.orNull,
                "translate": JSONSchema.string.orNull.adding([
                    "description": "The language that the captions are to be in, such as de."
                ]),
                "burn": JSONSchema.boolean.orNull.adding([
                    "description": "Whether they are drawn into the pictures; true if it is left out."
                ]),
                "textTrack": JSONSchema.boolean.orNull.adding([
                    "description": "Whether they become a track of the result, too."
                ]),
                "sidecars": JSONSchema.array(of: .names(TranscriptFormat.allCases.map(\.rawValue))).orNull.adding([
                    "uniqueItems": true, "description": "Files that are written beside the result.",
                ]),
            ]
            properties.merge(
                taken([
                    "style", "captions", "fonts", "container", "video", "audio", "overwrite", "threads", "limits",
                ])
            ) { $1 }
            properties["output"] = taken(["output"])["output"]?.orNull ?? JSONSchema.string.orNull
            return JSONSchema.object(properties.merging(PayloadEnvelope.properties) { $1 }, required: ["input"])
                .adding(["$schema": "https://json-schema.org/draft/2020-12/schema"])
        }
    }
}

extension SpeechWish {
    static var schema: JSONSchema {
        get throws {
            .object([
                "engine": JSONSchema.names(ServiceProviders.SpeechEngine.allCases.map(\.rawValue)).orNull,
                "language": JSONSchema.string.orNull.adding([
                    "description": "An ISO 639-1 code; found out if it is left out."
                ]),
                "prompt": JSONSchema.string.orNull.adding(["description": "Names and terms that occur."]),
                "channels": JSONSchema.names(["mixed", "separate", "automatic"]).orNull,
                "speakers": JSONSchema.array(of: .string).orNull.adding([
                    "description": "Who is heard on which channel, from the first."
                ]),
                "track": JSONSchema.integer.orNull.adding(["minimum": 0]),
            ])
        }
    }
}
