import JobQueue
import MediaKit

/// The types of requests that are more than an object or a name.

extension SubtitleInput: SchemaDescribed {
    static var schema: JSONSchema {
        get throws {
            .oneOf([
                .object(["file": .string], required: ["file"]), .object(["text": .string], required: ["text"]),
                .object(["embedded": .integer.orNull], required: ["embedded"]),
                .object(
                    ["transcript": try SchemaRecorder.schema(of: Transcript.self)], required: ["transcript"]),
            ])
        }
    }
    static var sample: SubtitleInput { .text("") }
}

extension StreamSelection.Choice: SchemaDescribed {
    static var schema: JSONSchema { .oneOf([.names(["best", "all"]), .integer, .array(of: .integer)]) }
    static var sample: StreamSelection.Choice { .best }
}

extension FrameRate: SchemaDescribed {
    static var schema: JSONSchema {
        .oneOf([
            JSONSchema(["type": "number", "minimum": 0.01, "maximum": 1000]),
            JSONSchema(["type": "string", "pattern": #"^[0-9]+(\.[0-9]+|/[0-9]+)?$"#]),
        ])
    }
    static var sample: FrameRate { FrameRate(Rational(25, 1)) }
}

extension CaptionColor: SchemaDescribed {
    static var schema: JSONSchema {
        JSONSchema(["type": "string", "pattern": "^#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$"])
    }
    static var sample: CaptionColor { .white }
}

/// What a schema says about members besides their types: the ranges that requests are checked for, and a word on those
/// that need one.
enum SchemaNotes {
    static func of(_ member: String, in type: String) -> [String: JSONValue] {
        var notes: [String: JSONValue] = ranges["\(type).\(member)"] ?? ranges["*.\(member)"] ?? [:]
        if let text = descriptions["\(type).\(member)"] ?? descriptions["*.\(member)"] {
            notes["description"] = .string(text)
        }
        return notes
    }

    private static func within(_ low: JSONValue, _ high: JSONValue) -> [String: JSONValue] {
        ["minimum": low, "maximum": high]
    }
    private static let positive: [String: JSONValue] = ["exclusiveMinimum": 0]

    private static let ranges: [String: [String: JSONValue]] = [
        "*.start": within(0, 1_000_000_000), "*.end": within(0, 1_000_000_000), "*.threads": within(1, 256),
        "VideoSettings.crf": within(0, 63), "VideoSettings.bitRate": within(1000, 10_000_000_000),
        "VideoSettings.maximumBitRate": within(1000, 10_000_000_000),
        "VideoSettings.bufferSize": within(1000, 10_000_000_000), "VideoSettings.gopSeconds": within(0.01, 600),
        "AudioSettings.bitRate": within(4000, 10_000_000), "AudioSettings.sampleRate": within(4000, 192_000),
        "AudioSettings.channels": within(1, 8), "AudioSettings.gain": within(-120, 60),
        "PictureSize.width": within(2, 16384), "PictureSize.height": within(2, 16384),
        "SilenceSettings.threshold": within(-100, 0), "SilenceSettings.minimum": within(0.02, 60),
        "ExtractAudio.splitAtSilence": within(1, 86_400),
        "Limits.pixels": positive, "Limits.durationSeconds": positive, "Limits.outputBytes": positive,
        "Limits.streams": positive, "Limits.wallSeconds": positive, "Tolerance.lostFrames": within(0, 1),
        "CaptionStyle.fontFamily": [
            "minLength": 1, "maxLength": 100, "pattern": #"^(?=.*[^\s])[^,{}\\\u0000-\u001f]+$"#,
        ],
        "CaptionStyle.fontSize": within(0.01, 0.5), "CaptionStyle.fontSizePixels": within(4, 2000),
        "CaptionStyle.fillOpacity": within(0, 1), "CaptionStyle.outlineOpacity": within(0, 1),
        "CaptionStyle.outlineWidth": within(0, 0.5), "CaptionStyle.shadowOpacity": within(0, 1),
        "CaptionStyle.shadowOffset": within(0, 0.5), "CaptionStyle.backgroundOpacity": within(0, 1),
        "CaptionStyle.backgroundPadding": within(0, 2), "CaptionStyle.safeArea": within(0, 0.4),
        "CaptionStyle.marginHorizontal": within(0, 0.4), "CaptionStyle.marginVertical": within(0, 0.4),
        "CaptionRules.maximumLineLength": within(4, 200), "CaptionRules.maximumLines": within(1, 10),
        "CaptionRules.maximumWords": within(1, 100), "CaptionRules.readingSpeed": within(1, 100),
        "CaptionRules.minimumDuration": within(0, 10), "CaptionRules.maximumDuration": within(0.5, 60),
        "CaptionRules.minimumGap": within(0, 2), "CaptionRules.closedGap": within(0, 5),
        "CaptionRules.pause": within(0.1, 60), "CaptionLook.fontSize": within(0.01, 0.5),
        "CaptionLook.highlightScale": within(1, 1.5), "CaptionLook.outlineWidth": within(0, 0.5),
        "CaptionLook.position": within(0, 1),
        "CaptionStyle.maximumWidth": within(0.1, 1), "CaptionStyle.maximumLines": within(1, 20),
    ]

    private static let descriptions = [
        "*.input": "Where it is read from: s3://bucket/key, store://key, https://… or file:///path.",
        "*.output": "Where it is written to; {jobId}, {timestamp}, {kind} and {extension} are filled in. "
            + "Left out, it is a key of the job's own in the default store.",
        "*.container": "By the output's name, if it is left out.",
        "*.start": "Seconds of the input at which the result begins.",
        "*.end": "Seconds of the input at which the result ends.",
        "*.overwrite": "Whether what is there already is replaced; another unfinished job's output never is.",
        "*.threads": "CPU cores; the job weighs as many.",
        "*.limits": "What the job may take; the worker's own limits hold besides.",
        "BurnSubtitles.subtitles": "A file, the text itself, a text track of the input, or a transcript.",
        "BurnSubtitles.captions": "A look whose words can light up as they are spoken, instead of style.",
        "BurnSubtitles.fonts": "Locations of font files that are looked in before the system's.",
        "ExtractAudio.splitAtSilence": "Chunks of at most so many seconds, cut at silences.",
        "Probe.keyFrames": "Reads all of the input to find the distances of its key frames.",
    ]
}
