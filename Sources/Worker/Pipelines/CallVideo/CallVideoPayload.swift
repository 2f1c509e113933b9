import FoundationEssentials
import JobQueue
import MediaKit
import Providers

extension CallVideo {
    /// A call's sound, and what it is shown with.
    ///
    /// ```json
    /// {
    ///   "audio": "store://recordings/AC…/RE….wav", "pictures": [{"input": "store://art/1.jpg"}, {"input": "store://art/2.mp4"}],
    ///   "captions": {"preset": "karaoke"}, "intro": "store://art/intro.mp4"
    /// }
    /// ```
    struct Payload: Decodable, Sendable {
        var audio: String
        /// What is said, where that is known; `nil` has it recognised.
        var subtitles: SubtitleInput?
        var speech: SpeechWish
        /// Images and clips that are shown one after the other, again and again until the sound ends.
        var pictures: [Clip]
        /// Pictures that are made first. With neither these nor `pictures`, a wave of the sound is shown.
        var generate: Generation?
        /// How that wave looks.
        var wave: WaveformLook
        /// How pictures go over into each other; `nil` for the usual second.
        var crossFade: CrossFade?
        var size: FrameSize
        /// LUFS.
        var loudness: Double
        /// Music below the call.
        var music: Music?
        /// Whether its two sides are heard in the middle, instead of one in each ear. Default true.
        var isMono: Bool
        /// Whether what is said is shown. Default true.
        var showsWords: Bool
        /// `nil` for the usual words.
        var captions: CaptionLook?
        var style: CaptionStyle
        /// Locations of font files.
        var fonts: [String]
        /// Clips before and after, with their own sound.
        var intro: String?
        var outro: String?
        /// Whether a picture of the result is written beside it. Default true.
        var thumbnail: Bool
        /// Empty where it is left to the worker.
        var output: String
        var container: Container?
        var video: VideoSettings
        var overwrite: Bool
        var threads: Int?
        var limits: Limits
        var webhook: WebhookTarget?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case audio, subtitles, speech, pictures, generate, wave, crossFade, size, loudness, music
            case isMono = "mono"
            case showsWords = "words"
            case captions, style, fonts, intro, outro, thumbnail, output, container, video, overwrite, threads, limits
            case webhook
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue) + PayloadEnvelope.keys)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            func refusal(_ key: CodingKeys, _ why: String) -> DecodingError {
                DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: why)
            }
            audio = try values.decode(String.self, forKey: .audio)
            subtitles = try values.decodeIfPresent(SubtitleInput.self, forKey: .subtitles)
            speech = try values.decodeIfPresent(SpeechWish.self, forKey: .speech) ?? .ofCalls
            pictures = try values.decodeIfPresent([Clip].self, forKey: .pictures) ?? []
            generate = try values.decodeIfPresent(Generation.self, forKey: .generate)
            wave = try values.decodeIfPresent(WaveformLook.self, forKey: .wave) ?? WaveformLook()
            crossFade = try values.decodeIfPresent(CrossFade.self, forKey: .crossFade)
            size = try values.decodeIfPresent(FrameSize.self, forKey: .size) ?? FrameSize(width: 1280, height: 720)
            loudness = try values.decodeIfPresent(Double.self, forKey: .loudness) ?? -16
            music = try values.decodeIfPresent(Music.self, forKey: .music)
            isMono = try values.decodeIfPresent(Bool.self, forKey: .isMono) ?? true
            showsWords = try values.decodeIfPresent(Bool.self, forKey: .showsWords) ?? true
            captions = try values.decodeIfPresent(CaptionLook.self, forKey: .captions)
            style = try values.decodeIfPresent(CaptionStyle.self, forKey: .style) ?? CaptionStyle()
            fonts = try values.decodeIfPresent([String].self, forKey: .fonts) ?? []
            intro = try values.decodeIfPresent(String.self, forKey: .intro)
            outro = try values.decodeIfPresent(String.self, forKey: .outro)
            thumbnail = try values.decodeIfPresent(Bool.self, forKey: .thumbnail) ?? true
            output = try values.decodeIfPresent(String.self, forKey: .output) ?? ""
            container = try values.decodeIfPresent(Container.self, forKey: .container)
            video = try values.decodeIfPresent(VideoSettings.self, forKey: .video) ?? VideoSettings()
            overwrite = try values.decodeIfPresent(Bool.self, forKey: .overwrite) ?? false
            threads = try values.decodeIfPresent(Int.self, forKey: .threads)
            limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
            webhook = try values.decodeIfPresent(WebhookTarget.self, forKey: .webhook)
            guard (-70 ... -5).contains(loudness) else {
                throw refusal(.loudness, "it must lie between -70 and -5 LUFS")
            }
            guard generate == nil || pictures.isEmpty else {
                throw refusal(.generate, "pictures are given already: give one of the two")
            }
            guard video.size == nil else { throw refusal(.video, "the size is given by \"size\"") }
            guard !video.twoPass else { throw refusal(.video, "two passes are not possible here") }
            if case .embedded = subtitles { throw refusal(.subtitles, "sound has no subtitles embedded") }
        }
    }

    /// Pixels, both even.
    struct FrameSize: Decodable, Sendable, Equatable {
        var width: Int
        var height: Int

        init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case width, height }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue))
            let values = try decoder.container(keyedBy: CodingKeys.self)
            width = try values.decode(Int.self, forKey: .width)
            height = try values.decode(Int.self, forKey: .height)
            for (key, value) in [(CodingKeys.width, width), (.height, height)]
            where !(64...7680).contains(value) || value % 2 != 0 {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "it must be an even number from 64 to 7680")
            }
        }

        /// The shape that generators know.
        var aspect: Aspect { width == height ? .square : width > height ? .landscape : .portrait }
    }

    /// Pictures that a model is to make.
    struct Generation: Decodable, Sendable, Equatable {
        enum Kind: String, Decodable, Sendable, CaseIterable { case image, video }

        /// One picture for each.
        var prompts: [String]
        var kind: Kind

        enum CodingKeys: String, CodingKey, CaseIterable { case prompts, kind }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue))
            let values = try decoder.container(keyedBy: CodingKeys.self)
            prompts = try values.decode([String].self, forKey: .prompts)
            kind = try values.decodeIfPresent(Kind.self, forKey: .kind) ?? .image
            guard (1...20).contains(prompts.count), prompts.allSatisfy({ !$0.isEmpty }) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .prompts, in: values, debugDescription: "there are 1 to 20 of them, none empty")
            }
        }
    }

    /// Music that is repeated as long as the call, and lowered while somebody speaks.
    struct Music: Decodable, Sendable, Equatable {
        var input: String
        /// Decibels.
        var gain: Double

        enum CodingKeys: String, CodingKey, CaseIterable { case input, gain }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue))
            let values = try decoder.container(keyedBy: CodingKeys.self)
            input = try values.decode(String.self, forKey: .input)
            gain = try values.decodeIfPresent(Double.self, forKey: .gain) ?? -12
            guard (-60...12).contains(gain) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .gain, in: values, debugDescription: "it must lie between -60 and 12 dB")
            }
        }
    }

    /// How the wave looks where there are no pictures.
    struct WaveformLook: Decodable, Sendable, Equatable {
        var style: Waveform.Style
        var colors: [CaptionColor]
        var backgroundColor: CaptionColor
        /// The location of a picture behind it.
        var background: String?

        init() {
            style = .centered
            colors = []
            backgroundColor = .black
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case style, colors, backgroundColor, background }

        init(from decoder: any Decoder) throws {
            try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.stringValue))
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init()
            style = try values.decodeIfPresent(Waveform.Style.self, forKey: .style) ?? style
            colors = try values.decodeIfPresent([CaptionColor].self, forKey: .colors) ?? colors
            backgroundColor =
                try values.decodeIfPresent(CaptionColor.self, forKey: .backgroundColor) ?? backgroundColor
            background = try values.decodeIfPresent(String.self, forKey: .background)
        }
    }
}

extension SpeechWish {
    /// Each side of a call by itself, where it has two.
    static var ofCalls: SpeechWish {
        var wish = SpeechWish()
        wish.channels = .automatic
        wish.speakers = ["Caller", "Agent"]
        return wish
    }
}

extension CaptionLook {
    /// Words that take a colour as they are spoken, and whites that tell who speaks.
    static var ofCalls: CaptionLook {
        var look = CaptionLook(preset: .karaoke)
        look.speakerColors = [.white, CaptionColor("#BFE3FF")].compactMap { $0 }
        return look
    }
}

extension CallVideo {
    static var schema: JSONSchema {
        get throws {
            let burn = try SchemaRecorder.schema(of: BurnSubtitles.self).members.properties
            func taken(_ key: String) -> JSONSchema {
                if case .object(let keywords)? = burn[key] { JSONSchema(keywords) } else { .any }
            }
            func text(_ description: String) -> JSONSchema {
                JSONSchema.string.orNull.adding(["description": .string(description)])
            }
            func flag(_ description: String) -> JSONSchema {
                JSONSchema.boolean.orNull.adding(["description": .string(description)])
            }
            let even: [String: JSONValue] = ["minimum": 64, "maximum": 7680, "multipleOf": 2]
            var properties: [String: JSONSchema] = [
                "audio": JSONSchema.string.adding([
                    "description": "The call's sound: s3://bucket/key, store://key, https://… or file:///path."
                ]),
                "subtitles": try SubtitleInput.schema.orNull.adding([
                    "description": "What is said, where that is known. Left out, it is recognised."
                ]),
                "speech": try SpeechWish.schema.orNull,
                "pictures": JSONSchema.array(of: try SchemaRecorder.schema(of: Clip.self)).orNull.adding([
                    "description": "Images and clips, shown one after the other until the sound ends."
                ]),
                "generate": JSONSchema.object(
                    [
                        "prompts": JSONSchema.array(of: .string).adding(["minItems": 1, "maxItems": 20]),
                        "kind": JSONSchema.names(Generation.Kind.allCases.map(\.rawValue)).orNull,
                    ], required: ["prompts"]
                ).orNull.adding(["description": "Pictures that are made first, one for each prompt."]),
                "wave": JSONSchema.object([
                    "style": JSONSchema.names(Waveform.Style.allCases.map(\.rawValue)).orNull,
                    "colors": JSONSchema.array(of: CaptionColor.schema).orNull,
                    "backgroundColor": CaptionColor.schema.orNull, "background": JSONSchema.string.orNull,
                ]).orNull.adding(["description": "How the sound's wave looks, where there are no pictures."]),
                "crossFade": try SchemaRecorder.schema(of: CrossFade.self).orNull,
                "size": JSONSchema.object(
                    ["width": JSONSchema.integer.adding(even), "height": JSONSchema.integer.adding(even)],
                    required: ["width", "height"]
                ).orNull.adding(["description": "Pixels; 1280 by 720 if it is left out."]),
                "loudness": JSONSchema.number.orNull.adding([
                    "minimum": -70, "maximum": -5, "description": "LUFS; -16 if it is left out.",
                ]),
                "music": JSONSchema.object(
                    [
                        "input": JSONSchema.string,
                        "gain": JSONSchema.number.orNull.adding(["minimum": -60, "maximum": 12]),
                    ], required: ["input"]
                ).orNull.adding(["description": "Music that is lowered while somebody speaks."]),
                "mono": flag("Whether both sides are heard in the middle; true if it is left out."),
                "words": flag("Whether what is said is shown; true if it is left out."),
                "intro": text("A clip that is shown before, with its own sound."),
                "outro": text("A clip that is shown after, with its own sound."),
                "thumbnail": flag("Whether a picture of the result is written beside it; true if it is left out."),
            ]
            for key in ["style", "captions", "fonts", "container", "video", "overwrite", "threads", "limits"] {
                properties[key] = taken(key)
            }
            properties["output"] = taken("output").orNull
            return JSONSchema.object(properties.merging(PayloadEnvelope.properties) { $1 }, required: ["audio"])
                .adding(["$schema": "https://json-schema.org/draft/2020-12/schema"])
        }
    }
}
