import Foundation
import MediaKit
import Testing

@Suite("Requests in JSON")
struct RequestCodingTests {
    private func decode<T: Decodable>(_ type: T.Type, _ json: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(json.utf8))
    }

    private func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test("a probe comes back as it was")
    func probe() throws {
        let probe = Probe(input: "a.mp4", keyFrames: true, limits: Limits(pixels: 100, streams: 3))
        guard case .probe(let back) = try decode(MediaRequest.self, encode(probe.request)) else {
            Issue.record("another operation came back")
            return
        }
        #expect(back == probe)
    }

    @Test("a transcode with everything set comes back as it was")
    func transcode() throws {
        let request = Transcode(
            input: "a.mov", output: "b.mkv", container: .mkv,
            video: VideoSettings(
                codec: .hevc, bitRate: 1_000_000, maximumBitRate: 2_000_000, bufferSize: 3_000_000, twoPass: true,
                preset: "slow", tune: "grain", profile: "main10", level: "4.1", gopSeconds: 2,
                pixelFormat: "yuv420p10le", size: PictureSize(width: 10, height: 20, fit: .cover, enlarge: true),
                frameRate: FrameRate("30000/1001"), deinterlace: false),
            audio: AudioSettings(codec: .opus, bitRate: 64_000, sampleRate: 48_000, channels: 2, gain: -3),
            streams: StreamSelection(video: 1, audio: .indices([0, 2]), subtitles: .best), start: 1.5, end: 2.5,
            indexFirst: false, bitexact: true, overwrite: true, threads: 3,
            limits: Limits(pixels: 1, durationSeconds: 2, outputBytes: 3, streams: 4, wallSeconds: 5),
            tolerance: Tolerance(lostFrames: 0.5, strict: true))
        guard case .transcode(let back) = try decode(MediaRequest.self, encode(request.request)) else {
            Issue.record("another operation came back")
            return
        }
        #expect(back == request)
    }

    @Test("a normalization and a mix with everything set come back as they were")
    func sound() throws {
        let normalize = NormalizeLoudness(
            input: "a", output: "b.mp4", container: .mp4, target: -23, ceiling: -2, peaks: .reduce, maximumGain: 12,
            audio: AudioSettings(bitRate: 96_000), track: 1, indexFirst: false, bitexact: true, overwrite: true,
            threads: 2, limits: Limits(pixels: 1), tolerance: Tolerance(strict: true))
        guard case .normalizeLoudness(let back) = try decode(MediaRequest.self, encode(normalize.request)) else {
            Issue.record("another operation came back")
            return
        }
        #expect(back == normalize)
        let music = MixInput(
            input: "b", track: 1, gain: -3, delay: 2, start: 1, end: 9, fadeIn: 1, fadeOut: 2, loop: true,
            duck: Ducking(key: 0, amount: 9, threshold: -50, attack: 0.2, release: 1))
        let mix = MixAudio(
            inputs: [MixInput(input: "a"), music], output: "c.mkv", video: "v", container: .mkv,
            audio: AudioSettings(codec: .flac), length: .first, limiter: false, ceiling: -3, indexFirst: false,
            bitexact: true, overwrite: true, threads: 2, limits: Limits(pixels: 1), tolerance: Tolerance(strict: true))
        guard case .mixAudio(let mixed) = try decode(MediaRequest.self, encode(mix.request)) else {
            Issue.record("another operation came back")
            return
        }
        #expect(mixed == mix)
    }

    @Test("what has a default may be left out")
    func defaults() throws {
        let request = try decode(Transcode.self, #"{"input": "a", "output": "b.mp4"}"#)
        #expect(request == Transcode(input: "a", output: "b.mp4"))
        let video = try decode(VideoSettings.self, "{}")
        #expect(video == VideoSettings())
    }

    @Test(
        "an unknown key is refused, and the right one suggested",
        arguments: [
            (#"{"operation":"transcode","input":"a","output":"b.mp4","overwirte":true}"#, "overwrite"),
            (#"{"operation":"transcode","input":"a","output":"b.mp4","video":{"bitrate":5}}"#, "bitRate"),
            (#"{"operation":"transcode","input":"a","output":"b.mp4","audio":{"gian":5}}"#, "gain"),
            (#"{"operation":"transcode","input":"a","output":"b.mp4","video":{"size":{"widht":5}}}"#, "width"),
            (#"{"operation":"transcode","input":"a","output":"b.mp4","limits":{"wallSecond":5}}"#, "wallSeconds"),
            (#"{"operation":"transcode","input":"a","output":"b.mp4","tolerance":{"lostFrame":0}}"#, "lostFrames"),
            (#"{"operation":"transcode","input":"a","output":"b.mp4","streams":{"vidoe":0}}"#, "video"),
            (#"{"operation":"probe","input":"a","keyframes":true}"#, "keyFrames"),
        ])
    func unknownKey(json: String, suggestion: String) throws {
        do {
            _ = try decode(MediaRequest.self, json)
            Issue.record("it was taken")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.debugDescription.contains("did you mean \"\(suggestion)\"?"))
        }
    }

    @Test("an unknown operation is refused and the known ones named")
    func unknownOperation() throws {
        do {
            _ = try decode(MediaRequest.self, #"{"operation":"trancode","input":"a"}"#)
            Issue.record("it was taken")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.debugDescription.contains("transcode"))
        }
    }

    @Test("streams are \"best\", \"all\", a number or a list")
    func streams() throws {
        #expect(try decode(StreamSelection.self, #"{"audio": "all"}"#).audio == .all)
        #expect(try decode(StreamSelection.self, #"{"audio": "best"}"#).audio == .best)
        #expect(try decode(StreamSelection.self, #"{"audio": 1}"#).audio == .indices([1]))
        #expect(try decode(StreamSelection.self, #"{"audio": [2, 0]}"#).audio == .indices([2, 0]))
        #expect(throws: DecodingError.self) { try decode(StreamSelection.self, #"{"audio": "some"}"#) }
    }

    @Test(
        "frame rates are exact",
        arguments: [
            ("25", 25, 1), ("29.97", 30000, 1001), ("23.976", 24000, 1001), ("59.94", 60000, 1001),
            ("30000/1001", 30000, 1001),
            ("12.5", 12500, 1000), ("119.88", 120_000, 1001),
        ])
    func frameRate(text: String, numerator: Int32, denominator: Int32) throws {
        let rate = try #require(FrameRate(text))
        #expect(
            Int64(rate.rational.numerator) * Int64(denominator) == Int64(rate.rational.denominator) * Int64(numerator))
        #expect(try decode(FrameRate.self, encode(rate)) == rate)
        #expect(try decode(FrameRate.self, "\"\(text)\"") == rate)
    }

    @Test(
        "what is no frame rate is refused",
        arguments: ["", "0", "-25", "nan", "1/0", "a", "25/", "2000", "1e99", "0.001"])
    func noFrameRate(text: String) {
        #expect(FrameRate(text) == nil)
    }

    @Test(
        "requests that make no sense are refused before anything is opened",
        arguments: [
            Transcode(input: "a", output: "b"),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(crf: 20, bitRate: 1_000_000)),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(crf: 64)),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(bitRate: -1)),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(crf: 20, twoPass: true)),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(codec: .copy, crf: 20)),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(pixelFormat: "yuv421p")),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(size: PictureSize())),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(size: PictureSize(width: 1))),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(size: PictureSize(width: 100_000))),
            Transcode(input: "a", output: "b.mp4", video: VideoSettings(gopSeconds: -1)),
            Transcode(
                input: "a", output: "b.mp4", video: VideoSettings(codec: .none), audio: AudioSettings(codec: .none)),
            Transcode(input: "a", output: "b.mp3", video: VideoSettings(codec: .h264)),
            Transcode(input: "a", output: "b.mp4", audio: AudioSettings(bitRate: 1)),
            Transcode(input: "a", output: "b.mp4", audio: AudioSettings(sampleRate: 0)),
            Transcode(input: "a", output: "b.mp4", audio: AudioSettings(channels: 9)),
            Transcode(input: "a", output: "b.mp4", audio: AudioSettings(gain: .nan)),
            Transcode(input: "a", output: "b.mp4", audio: AudioSettings(codec: .copy, gain: 3)),
            Transcode(input: "a", output: "b.mp4", start: -1), Transcode(input: "a", output: "b.mp4", start: .nan),
            Transcode(input: "a", output: "b.mp4", start: 5, end: 5),
            Transcode(input: "a", output: "b.mp4", end: .infinity),
            Transcode(input: "a", output: "b.mp4", threads: 0),
            Transcode(input: "a", output: "b.mp4", limits: Limits(pixels: 0)),
            Transcode(input: "a", output: "b.mp4", limits: Limits(wallSeconds: -1)),
            Transcode(input: "a", output: "b.mp4", tolerance: Tolerance(lostFrames: 2)),
        ])
    func badRequests(request: Transcode) async throws {
        let error = #expect(throws: MediaError.self) { try request.validate() }
        #expect(error?.code == .badRequest)
        // The engine says so too, and names the operation.
        do {
            _ = try await MediaEngine().run(request)
            Issue.record("it was carried out")
        } catch let error as MediaError {
            #expect(error.code == .badRequest)
            #expect(error.operation == "transcode")
        }
    }
}
