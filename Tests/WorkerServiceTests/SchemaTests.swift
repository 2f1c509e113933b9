import Foundation
import JobQueue
import MediaKit
import ProcessTestSupport
import TestSupport
import Testing

@testable import Worker

/// Payloads' schemas against the types that read them.
@Suite struct SchemaTests {
    /// Documents, and whether a job of the kind takes them.
    private static let documents: [(kind: String, json: String, isValid: Bool)] = [
        ("media.probe", #"{"input": "s3://a/b"}"#, true),
        ("media.probe", #"{"input": "a", "keyFrames": true, "limits": {"streams": 3, "wallSeconds": 1.5}}"#, true),
        (
            "media.probe", #"{"operation": "probe", "input": "a", "webhook": "https://x.example", "metadata": [1]}"#,
            true
        ),
        ("media.probe", #"{}"#, false),
        ("media.probe", #"{"input": 5}"#, false),
        ("media.probe", #"{"input": "s3://a/b", "output": "s3://a/c"}"#, false),
        ("media.probe", #"{"input": "s3://a/b", "operation": "transcode"}"#, false),
        ("media.transcode", #"{"input": "a"}"#, true),
        ("media.transcode", #"{"input": "a", "output": null, "video": null, "start": null}"#, true),
        (
            "media.transcode",
            #"""
            {"input": "a", "output": "b", "container": "webm", "indexFirst": false, "bitexact": true, "overwrite": true,
             "threads": 4, "start": 1.5, "end": 3, "tolerance": {"lostFrames": 0, "strict": true},
             "video": {"codec": "vp9", "crf": 33, "twoPass": false, "preset": "fast", "tune": "film", "profile": "high",
                       "level": "4.1", "gopSeconds": 2, "pixelFormat": "yuv420p", "frameRate": "30000/1001",
                       "size": {"width": 640, "height": 360, "fit": "cover", "enlarge": true}, "deinterlace": false,
                       "bitRate": null, "maximumBitRate": 5000, "bufferSize": 5000},
             "audio": {"codec": "opus", "bitRate": 64000, "sampleRate": 48000, "channels": 2, "gain": -3.5},
             "streams": {"video": 0, "audio": [0, 1], "subtitles": "best"},
             "limits": {"pixels": 10, "durationSeconds": 1, "outputBytes": 1, "streams": 1, "wallSeconds": 1},
             "webhook": {"url": "https://x.example/hook", "events": ["completed", "failed"]}, "metadata": {"a": null}}
            """#, true
        ),
        ("media.transcode", #"{"input": "a", "video": {"frameRate": 25}}"#, true),
        ("media.transcode", #"{"input": "a", "streams": {"audio": 1}}"#, true),
        ("media.transcode", #"{"input": "a", "vidoe": {}}"#, false),
        ("media.transcode", #"{"input": "a", "video": {"crf": "low"}}"#, false),
        ("media.transcode", #"{"input": "a", "video": {"crf": 64}}"#, false),
        ("media.transcode", #"{"input": "a", "video": {"codec": "h265"}}"#, false),
        ("media.transcode", #"{"input": "a", "video": {"frameRate": "fast"}}"#, false),
        ("media.transcode", #"{"input": "a", "video": {"size": {"width": 1}}}"#, false),
        ("media.transcode", #"{"input": "a", "streams": {"audio": "first"}}"#, false),
        ("media.transcode", #"{"input": "a", "container": "avi"}"#, false),
        ("media.transcode", #"{"input": "a", "threads": 1.5}"#, false),
        ("media.transcode", #"{"input": "a", "webhook": {"url": "https://x.example", "events": ["ended"]}}"#, false),
        ("media.transcode", #"{"input": "a", "webhook": {"events": []}}"#, false),
        ("media.transcode", #"{"input": "a", "webhook": "gopher://x"}"#, false),
        ("media.transcode", #"["input"]"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"file": "b"}}"#, true),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"embedded": null}}"#, true),
        (
            "media.burn_subtitles",
            #"""
            {"input": "a", "subtitles": {"text": "b"}, "fonts": ["c"], "strictFonts": true, "overridesStyles": true,
             "style": {"fontFamily": "Noto Sans", "fontSize": 0.07, "bold": true, "fillColor": "#FFD700",
                       "backgroundColor": "#000000B0", "alignment": "topLeft", "lineWrapping": "greedy",
                       "maximumLines": 2, "safeArea": 0.1}}
            """#, true
        ),
        ("media.burn_subtitles", #"{"input": "a"}"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"file": "b", "text": "c"}}"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": "b"}"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"text": "b"}, "style": {"fillColor": "red"}}"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"text": "b"}, "style": {"fontSize": 2}}"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"text": "b"}, "style": {"font": "x"}}"#, false),
        ("media.burn_subtitles", #"{"input": "a", "subtitles": {"text": "b"}, "style": {"bold": 1}}"#, false),
        (
            "media.extract_audio",
            #"{"input": "a", "preset": "speech", "track": 1, "trimSilence": true, "splitAtSilence": 30, "silence": {"threshold": -30, "minimum": 1}}"#,
            true
        ),
        ("media.extract_audio", #"{"input": "a", "preset": "music"}"#, false),
        ("media.extract_audio", #"{"input": "a", "splitAtSilence": 0}"#, false),
        ("media.normalize_loudness", #"{"input": "a"}"#, true),
        (
            "media.normalize_loudness",
            #"""
            {"input": "a", "output": "b", "container": "mp4", "target": -23, "ceiling": -2, "peaks": "reduce",
             "maximumGain": 20, "audio": {"bitRate": 96000}, "track": 0, "indexFirst": false}
            """#, true
        ),
        ("media.normalize_loudness", #"{"input": "a", "target": 3}"#, false),
        ("media.normalize_loudness", #"{"input": "a", "peaks": "clip"}"#, false),
        ("media.normalize_loudness", #"{"input": "a", "loudness": -16}"#, false),
        ("media.mix_audio", #"{"inputs": [{"input": "a"}]}"#, true),
        (
            "media.mix_audio",
            #"""
            {"inputs": [{"input": "a", "delay": 1.5},
                        {"input": "b", "track": 1, "gain": -12, "start": 3, "end": 9, "fadeIn": 1, "fadeOut": 2,
                         "loop": true, "duck": {"key": 0, "amount": 10, "threshold": -45, "attack": 0.2, "release": 1}}],
             "video": "c", "length": "video", "limiter": true, "ceiling": -2}
            """#, true
        ),
        ("media.mix_audio", #"{"inputs": []}"#, false),
        ("media.mix_audio", #"{"inputs": ["a"]}"#, false),
        ("media.mix_audio", #"{"inputs": [{"input": "a", "gian": 3}]}"#, false),
        ("media.mix_audio", #"{"inputs": [{"input": "a", "gain": 100}]}"#, false),
        ("media.mix_audio", #"{"inputs": [{"input": "a", "duck": {"amount": 3}}]}"#, false),
        ("media.concatenate", #"{"clips": [{"input": "a"}]}"#, true),
        (
            "media.concatenate",
            #"""
            {"clips": [{"input": "a", "start": 1, "end": 2.5, "fit": "cover"}, {"input": "b", "duration": 3}],
             "crossFade": {"transition": "slideleft", "seconds": 0.5}, "sound": "c", "length": 60,
             "background": "#102030", "video": {"size": {"width": 640, "height": 360}}, "audio": {"channels": 2}}
            """#, true
        ),
        ("media.concatenate", #"{"clips": []}"#, false),
        ("media.concatenate", #"{"clips": ["a"]}"#, false),
        ("media.concatenate", #"{"clips": [{"input": "a", "duration": 0}]}"#, false),
        ("media.concatenate", #"{"clips": [{"input": "a", "from": 1}]}"#, false),
        ("media.concatenate", #"{"clips": [{"input": "a"}], "crossFade": {"transition": "fade"}}"#, false),
        (
            "media.concatenate", #"{"clips": [{"input": "a"}], "crossFade": {"transition": "blend", "seconds": 1}}"#,
            false
        ),
        ("media.concatenate", #"{"input": "a"}"#, false),
        ("media.loop", #"{"input": "a", "length": 60}"#, true),
        ("media.loop", #"{"input": "a", "match": "b", "sound": "repeated", "crossFade": {"seconds": 1}}"#, true),
        ("media.loop", #"{"input": "a", "length": 0}"#, false),
        ("media.loop", #"{"input": "a", "length": 1, "sound": "loud"}"#, false),
        ("media.waveform", ##"{"input": "a", "style": "bars", "colors": ["#FF0000"], "waveHeight": 0.5}"##, true),
        ("media.waveform", #"{"input": "a", "style": "circle"}"#, false),
        ("media.waveform", #"{"input": "a", "colors": ["red"]}"#, false),
        ("media.waveform", #"{"input": "a", "waveHeight": 2}"#, false),
        ("media.thumbnail", #"{"input": "a", "at": [1.5, "50%"], "format": "webp", "quality": 70}"#, true),
        ("media.thumbnail", #"{"input": "a", "at": ["half"]}"#, false),
        ("media.thumbnail", #"{"input": "a", "count": 0}"#, false),
        ("media.thumbnail", #"{"input": "a", "format": "gif"}"#, false),
        ("http.request", #"{"url": "https://x.example"}"#, true),
        ("http.request", #"{"url": "https://x.example", "body": [1], "headers": {"a": "b"}, "timeout": 60}"#, true),
        ("http.request", #"{"url": "x.example"}"#, false),
        ("http.request", #"{"url": "https://x.example", "timeout": 0}"#, false),
        ("http.request", #"{"url": "https://x.example", "headers": {"a": 1}}"#, false),
        ("http.request", #"{"url": "https://x.example", "method": "PUT"}"#, false),
        ("webhook.deliver", #"{"url": "https://x.example", "event": "job.failed", "body": {}}"#, true),
        ("webhook.deliver", #"{"url": "https://x.example", "event": "job.failed"}"#, false),
    ]

    /// Whether a job of the kind would run, as far as its payload goes.
    private func decodes<Kind: JobKind>(_ kind: Kind.Type, _ json: String) -> Bool {
        guard let payload = try? JSONDecoder().decode(Kind.Payload.self, from: Data(json.utf8)) else { return false }
        // Ranges are checked when the request is.
        func isValid<Operation: OutputOperation>(_ operation: Operation) -> Bool {
            var operation = operation
            operation.output = "s3://a/b.\((operation.container ?? operation.usualContainer).fileExtension)"
            return (try? operation.validate()) != nil
        }
        switch payload {
        case let payload as MediaPayload<Transcode>: return isValid(payload.operation)
        case let payload as MediaPayload<BurnSubtitles>: return isValid(payload.operation)
        case let payload as MediaPayload<ExtractAudio>: return isValid(payload.operation)
        case let payload as MediaPayload<NormalizeLoudness>: return isValid(payload.operation)
        case let payload as MediaPayload<MixAudio>: return isValid(payload.operation)
        case let payload as MediaPayload<ConcatenateClips>: return isValid(payload.operation)
        case let payload as MediaPayload<LoopTo>: return isValid(payload.operation)
        case let payload as MediaPayload<Waveform>: return isValid(payload.operation)
        case let payload as MediaPayload<Thumbnail>:
            var operation = payload.operation
            operation.output = "s3://a/b.\(operation.outputExtension)"
            return (try? operation.validate()) != nil
        case let payload as MediaPayload<Probe>: return (try? payload.operation.validate()) != nil
        case let payload as AppRequest.Payload: return payload.url.contains("://")
        default: return true
        }
    }

    @Test func `The types take what is valid, and nothing that is not`() throws {
        for document in Self.documents {
            let kind = try #require(JobKinds.all.first { $0.name == document.kind })
            #expect(decodes(kind, document.json) == document.isValid, "\(document.kind) \(document.json)")
        }
    }

    @Test(.enabled(if: SchemaTests.python != nil, "no jsonschema: scripts/setup --test gets it from PyPI"))
    func `So does the reference implementation of JSON Schema, by the schemas`() throws {
        let schemas = Dictionary(uniqueKeysWithValues: try JobKinds.all.map { ($0.name, try $0.schema.json) })
        let question: JSONValue = [
            "schemas": .object(schemas),
            "documents": .array(Self.documents.map { ["kind": .string($0.kind), "json": .string($0.json)] }),
        ]
        let scratch = try Scratch()
        let path = try scratch.put("question.json", Array(JSONEncoder().encode(question)))
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.python))
        process.arguments = [URL(filePath: #filePath).deletingLastPathComponent().path + "/check-schemas.py", path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        #expect(process.waitForOwnEnd() == 0)
        let verdicts = try JSONDecoder().decode([Bool].self, from: answer)
        #expect(verdicts.count == Self.documents.count)
        for (document, verdict) in zip(Self.documents, verdicts) {
            #expect(verdict == document.isValid, "\(document.kind) \(document.json)")
        }
    }

    @Test func `Every key that a request is written with is in its schema`() throws {
        func check(_ operation: some MediaOperation, _ kind: any JobKind.Type) throws {
            let written = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(operation.request))
            try compare(written, kind.schema.json, path: kind.name)
        }
        try check(Probe(input: "a"), MediaProbe.self)
        try check(
            Transcode(
                input: "a", output: "b", container: .mp4,
                video: VideoSettings(
                    crf: 1, bitRate: 1, maximumBitRate: 1, bufferSize: 1, preset: "a", tune: "a", profile: "a",
                    level: "a",
                    gopSeconds: 1, pixelFormat: "a", size: PictureSize(width: 2, height: 2),
                    frameRate: FrameRate(Rational(25, 1))),
                audio: AudioSettings(bitRate: 1, sampleRate: 1, channels: 1, gain: 1),
                streams: StreamSelection(video: 1), start: 1, end: 2, threads: 1,
                limits: Limits(durationSeconds: 1, outputBytes: 1, wallSeconds: 1)), MediaTranscode.self)
        try check(BurnSubtitles(input: "a", subtitles: .file("b"), output: "c"), MediaBurnSubtitles.self)
        try check(
            ExtractAudio(input: "a", output: "b", preset: .speech, track: 1, start: 1, end: 2, splitAtSilence: 1),
            MediaExtractAudio.self)
        try check(
            ConcatenateClips(
                clips: [Clip(input: "a")], output: "b", crossFade: CrossFade(seconds: 1), sound: "c", length: 1),
            MediaConcatenate.self)
        try check(
            LoopTo(input: "a", output: "b", match: "c", sound: .matched, crossFade: CrossFade(seconds: 1)),
            MediaLoop.self)
        try check(Waveform(input: "a", output: "b", colors: [.white], background: "c", track: 1), MediaWaveform.self)
        try check(
            Thumbnail(input: "a", output: "b", format: .jpg, size: PictureSize(width: 2), track: 1),
            MediaThumbnail.self)
    }

    private func compare(_ written: JSONValue, _ schema: JSONValue, path: String) throws {
        guard case .object(let members) = written, case .object(let properties)? = schema["properties"] else { return }
        for (key, value) in members {
            let property = try #require(properties[key], "\(path).\(key)")
            try compare(value, property, path: "\(path).\(key)")
        }
    }

    /// A Python that has jsonschema: in `KILN_JSONSCHEMA_PYTHON`, or the environment that `scripts/setup --test` makes.
    private static let python: String? = {
        let package = URL(filePath: #filePath).appending(path: "../../..").standardized
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["KILN_JSONSCHEMA_PYTHON"],
            package.appending(path: ".build/moto/bin/python").path, "/usr/bin/python3",
        ]
        return candidates.compactMap { $0 }.first { path in
            guard FileManager.default.isExecutableFile(atPath: path) else { return false }
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = ["-c", "import jsonschema; jsonschema.Draft202012Validator"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            return process.waitForOwnEnd() == 0
        }
    }()
}
