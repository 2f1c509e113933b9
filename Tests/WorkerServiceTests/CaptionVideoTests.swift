import Foundation
import JobQueue
import MediaKit
import ProviderTestSupport
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// From a video in the store to one with captions, by the steps of `pipeline.caption_video`.
@Suite struct CaptionVideoTests {
    /// Sharp enough for a look at colours.
    private static let settings = #""video": {"codec": "h264", "preset": "ultrafast", "crf": 10}"#
    /// White words, of which the spoken one is blue.
    private static let look = ##""captions": {"preset": "classic", "highlightColor": "#0000FF", "fontSize": 0.12}"##

    /// - Parameter service: recognises speech.
    private func bench(_ service: OpenAIStandIn, _ store: StubbornStore? = nil) async throws -> ServiceBench {
        var bench = try await ServiceBench { store?.fault($0) }
        bench.configuration.providers.openAI.key = OpenAIStandIn.key
        bench.configuration.providers.openAI.baseURL = try HTTPURL(service.baseURL)
        return bench
    }

    /// Each word is lit while it is spoken, right of the one before in its line, and nothing is seen before the first and
    /// after the last.
    private func expectLit(
        _ video: DecodedStream, _ words: [Transcript.Word], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(!video.hasInk(at: words[0].start - 0.1), sourceLocation: sourceLocation)
        var places: [ClosedRange<Int>] = []
        for word in words {
            let (early, late) = (video.blue(at: word.start + 0.12), video.blue(at: word.end - 0.1))
            #expect(early != nil && early == late, "\(word)", sourceLocation: sourceLocation)
            if let early { places.append(early) }
        }
        #expect(Set(places).count > 2, "the light moves: \(places)", sourceLocation: sourceLocation)
        #expect(!video.hasInk(at: video.end - 0.1), sourceLocation: sourceLocation)
    }

    @Test func `What is said is recognised, lights up while it is said, and is written beside`() async throws {
        let spoken = SpokenClip(), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"""
            {"input": "s3://media/in/talk.mkv", \#(Self.look), \#(Self.settings), "textTrack": true,
             "speech": {"language": "en"}, "sidecars": ["srt", "vtt", "json"], "output": "store://out/{jobId}.mp4"}
            """#)
        let (answer, phases) = try await bench.serving { _ in
            var phases: [String] = []
            for try await job in bench.queue.follow(id) {
                if let phase = job.progress?.phase, phases.last != phase { phases.append(phase) }
            }
            return (try await bench.answer(id), phases)
        }
        #expect(service.complaints.isEmpty && service.received.count == 1)
        let name = "out/\(id.uuidString.lowercased())"
        #expect(answer.key == name + ".mp4")
        #expect(answer.speech?.engine == "openai:whisper-1" && answer.speech?.words == spoken.words.count)
        #expect(answer.transcript == "s3://media/\(name).json")
        let transcript = try Transcript.load(bench.server.bytes(name + ".json") ?? [])
        #expect(transcript.words.map(\.text) == spoken.words.map(\.text))
        #expect(answer.sidecars?.map(\.output.key) == [name + ".srt", name + ".vtt", name + ".captions.json"])
        #expect(bench.text(name + ".vtt").hasPrefix("WEBVTT") && bench.text(name + ".srt").contains("three four."))
        #expect(answer.streams.map(\.kind) == ["video", "audio", "subtitle"])
        let film = try bench.film(answer.key)
        expectLit(try #require(film.video), spoken.words)
        let track = film.subtitles.flatMap(\.subtitles).joined(separator: " ")
        #expect(track.contains("five six."), "\(track)")
        #expect(try await bench.steps(id) == "probe 1, transcribe 1, render 1, sidecars 1")
        // How many are seen is up to the clock; their order is not.
        let order = ["probe", "transcribe", "render", "sidecars"]
        let steps = phases.filter { $0 != "waiting" }, seen = steps.compactMap { order.firstIndex(of: $0) }
        #expect(seen.count == steps.count && seen == seen.sorted() && !seen.isEmpty, "\(phases)")
    }

    @Test func `Subtitles that are given are drawn, plain or with a look, and nobody listens`() async throws {
        let spoken = SpokenClip(), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        let subtitles = #""subtitles": {"text": "1\n00:00:01,000 --> 00:00:03,000\nOne two three\n"}"#
        let plain = try await bench.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/talk.mkv", \#(subtitles), \#(Self.settings), "style": {"fontSize": 0.15}}"#)
        let lit = try await bench.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/talk.mkv", \#(subtitles), \#(Self.settings), \#(Self.look), "sidecars": ["vtt"]}"#
        )
        let (first, second) = try await bench.serving { _ in
            (try await bench.answer(plain), try await bench.answer(lit))
        }
        for answer in [first, second] {
            let video = try #require(try bench.film(answer.key).video)
            for (time, isThere) in [(0.8, false), (1.2, true), (2.8, true), (3.2, false)] {
                #expect(video.hasInk(at: time) == isThere, "\(time)")
            }
            #expect(!video.hasInk(at: 2, 0...0.5))
        }
        let video = try #require(try bench.film(second.key).video)
        let (early, late) = (try #require(video.blue(at: 1.2)), try #require(video.blue(at: 2.8)))
        #expect(early.upperBound < late.lowerBound)
        #expect(first.speech == nil && first.sidecars?.isEmpty == true)
        #expect(
            second.speech?.engine == nil && bench.text(second.sidecars?.first?.output.key).contains("One two three"))
        #expect(service.attempts == 0)
        #expect(try await bench.steps(plain) == "probe 1, render 1")
    }

    @Test func `A phone's film is captioned upright`() async throws {
        let spoken = SpokenClip(["one", "two", "three.", "four"], seconds: 3.2), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/phone.mp4", try await spoken.phoneMovie())
        let id = try await bench.enqueue(
            "pipeline.caption_video", #"{"input": "s3://media/in/phone.mp4", \#(Self.look), \#(Self.settings)}"#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        let video = try #require(try bench.film(answer.key).video)
        let frame = try #require(video.frame(at: 1))
        #expect(frame.width == 180 && frame.height == 320)
        #expect(video.blue(at: 0.7) != nil && !video.hasInk(at: 0.3))
        // Apps cover the lowest part of a portrait picture.
        #expect(video.hasInk(at: 1, 0.5...0.84) && !video.hasInk(at: 1, 0.86...1))
    }

    @Test func `Captions are translated, at the times of what is said`() async throws {
        let spoken = SpokenClip()
        let service = try spoken.service()
        var bench = try await bench(service)
        let chat = try AnthropicStandIn { ChatAnswers.translation($0) }
        bench.configuration.providers.anthropic.key = "sk-ant-test-0123456789"
        bench.configuration.providers.anthropic.baseURL = try chat.baseURL
        bench.configuration.providers.chat.service = .anthropic
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        let ready = bench
        let id = try await ready.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/talk.mkv", "translate": "de", \#(Self.look), \#(Self.settings), "sidecars": ["srt"]}"#
        )
        let answer = try await ready.serving { _ in try await ready.answer(id) }
        #expect(answer.speech?.language == "de" && answer.speech?.engine == "openai:whisper-1")
        #expect(answer.speech?.translation?.engine.hasPrefix("anthropic:") == true)
        #expect((answer.speech?.translation?.usage.requests ?? 0) > 0)
        #expect(answer.transcript?.hasSuffix(".de.json") == true)
        let srt = ready.text(answer.sidecars?.first?.output.key)
        #expect(srt.contains("ONE TWO THREE FOUR."), "\(srt)")
        let video = try #require(try ready.film(answer.key).video)
        #expect(!video.hasInk(at: 0.4) && video.blue(at: 1) != nil)
        #expect(try await ready.steps(id) == "probe 1, transcribe 1, translate 1, render 1, sidecars 1")
    }

    @Test func `What is in the language already is not translated`() async throws {
        let spoken = SpokenClip(), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        // There is no language model, either.
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"""
            {"input": "s3://media/in/talk.mkv", "translate": "en", "burn": false, "sidecars": ["srt"],
             "subtitles": {"text": "1\n00:00:01,000 --> 00:00:03,000\nOne two three\n"}, "speech": {"language": "en-GB"}}
            """#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(try await bench.steps(id) == "probe 1, transcribe 1, render 1, sidecars 1")
        #expect(
            answer.speech?.language == "en-GB" && bench.text(answer.sidecars?.first?.output.key).contains("One two"))
    }

    @Test func `Where nobody speaks the video stays as it was`() async throws {
        let spoken = SpokenClip([], seconds: 2), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/still.mkv", spoken.clip().bytes)
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/still.mkv", \#(Self.look), \#(Self.settings), "textTrack": true, "sidecars": ["srt"]}"#
        )
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(answer.speech?.words == 0 && abs(answer.duration - 2) < 0.1)
        #expect(answer.streams.map(\.kind) == ["video", "audio"])
        let video = try #require(try bench.film(answer.key).video)
        #expect(video.frames.count == 50 && [0.5, 1, 1.5].allSatisfy { !video.hasInk(at: $0) })
        #expect(bench.server.bytes(answer.sidecars?.first?.output.key ?? "")?.isEmpty == true)
    }

    @Test func `What cannot be captioned is dead at once, and says why`() async throws {
        let spoken = SpokenClip(["one"], seconds: 1.2), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/silent.mkv", TestClip(video: .init(frames: 10)).bytes)
        bench.server.put("in/sound.mkv", spoken.clip(width: 0).bytes)
        let cases = [
            (#"{"input": "s3://media/in/silent.mkv"}"#, "no sound"),
            (#"{"input": "s3://media/in/sound.mkv"}"#, "no pictures"),
            (#"{"input": "s3://media/in/silent.mkv", "burn": false}"#, "burn"),
            (#"{"input": "s3://media/in/silent.mkv", "video": {"crf": 99}}"#, "crf"),
            (#"{"input": "s3://media/in/silent.mkv", "subtitels": {}}"#, "subtitels"),
            (#"{"input": "s3://media/in/silent.mkv", "translate": "the German one"}"#, "de or pt-BR"),
            (#"{"input": "s3://media/in/silent.mkv", "sidecars": ["srt", "srt"]}"#, "but once"),
            (#"{"input": "s3://media/in/silent.mkv", "textTrack": true, "container": "mpegts"}"#, "no text tracks"),
            (
                #"{"input": "s3://media/in/silent.mkv", "burn": false, "sidecars": ["srt"], "captions": {"position": 7}}"#,
                "position"
            ),
            (
                ##"""
                {"input": "s3://media/in/silent.mkv", "subtitles":
                 {"transcript": {"duration": 2, "segments": [{"start": 2, "end": 1, "text": "x"}]}}}
                """##, "ends before it starts"
            ),
        ]
        var ids: [JobID] = []
        for (payload, _) in cases { ids.append(try await bench.enqueue("pipeline.caption_video", payload)) }
        try await bench.serving { [ids] _ in
            for (id, test) in zip(ids, cases) {
                let job = try await bench.failed(id)
                let message = job.errors?.last?.message ?? ""
                #expect(job.state == .dead && job.attempt == 1 && message.contains(test.1), "\(test): \(message)")
            }
        }
        #expect(service.attempts == 0 && bench.server.keys == ["in/silent.mkv", "in/sound.mkv"])
    }

    @Test func `An output that is somebody else's is found out before anybody listens`() async throws {
        let spoken = SpokenClip(["one"], seconds: 1.2), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        for key in ["out/a.mp4", "out/b.json", "out/c.srt"] { bench.server.put(key, [1]) }
        var ids: [JobID] = []
        for name in ["a", "b", "c"] {
            ids.append(
                try await bench.enqueue(
                    "pipeline.caption_video",
                    #"{"input": "s3://media/in/talk.mkv", "sidecars": ["srt"], "output": "store://out/\#(name).mp4"}"#))
        }
        try await bench.serving { [ids] _ in
            for id in ids {
                let job = try await bench.failed(id)
                let message = job.errors?.last?.message ?? ""
                #expect(job.state == .dead && job.attempt == 1 && message.contains("exists already"), "\(message)")
            }
        }
        #expect(service.attempts == 0)
        #expect(bench.server.keys.filter { $0.hasPrefix("out/") } == ["out/a.mp4", "out/b.json", "out/c.srt"])
        #expect(bench.server.uploads.isEmpty)
    }

    @Test func `Files have endings of their own where the names of results have none`() async throws {
        let spoken = SpokenClip(), service = try spoken.service()
        var bench = try await bench(service)
        bench.configuration.outputs.keyTemplate = "made/{jobId}"
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        let ready = bench
        let id = try await ready.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/talk.mkv", \#(Self.settings), "sidecars": ["srt", "json"]}"#)
        let answer = try await ready.serving { _ in try await ready.answer(id) }
        let name = "made/\(id.uuidString.lowercased())"
        #expect(answer.key == name && answer.transcript == "s3://media/\(name).json")
        #expect(answer.sidecars?.map(\.output.key) == [name + ".srt", name + ".captions.json"])
        #expect(try ready.film(name).video != nil && ready.text(name + ".json").contains("segments"))
    }

    @Test func `Pictures that nothing is drawn into are copied, and tracks and files are cut as is asked`() async throws
    {
        let spoken = SpokenClip(), service = try spoken.service()
        let bench = try await bench(service)
        bench.server.put("in/phone.mp4", try await spoken.phoneMovie())
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"""
            {"input": "s3://media/in/phone.mp4", "burn": false, "textTrack": true, "video": {"codec": "copy"},
             "captions": {"preset": "box", "rules": {"maximumWords": 2}}, "sidecars": ["ass", "srt"]}
            """#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(answer.streams.first?.copied == true)
        let cues = try bench.film(answer.key).subtitles.flatMap(\.subtitles)
        #expect(cues.count > 2 && cues.allSatisfy { $0.split(whereSeparator: \.isWhitespace).count <= 2 }, "\(cues)")
        // In the look, for the frame that it has.
        let script = bench.text(answer.sidecars?.first?.output.key)
        #expect(script.contains("PlayResX: 180\n") && script.contains("\\an2\\pos"), "\(script)")
    }

    @Test func `Each step is done once, however often the next one fails`() async throws {
        let spoken = SpokenClip(), service = try spoken.service()
        let store = StubbornStore(refusing: [".mp4", ".mp4", ".srt"])
        let bench = try await bench(service, store)
        bench.server.put("in/talk.mkv", spoken.clip().bytes)
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/talk.mkv", \#(Self.settings), "sidecars": ["srt"], "output": "store://out/a.mp4"}"#,
            ", max_attempts => 9")
        let answer = try await bench.serving(middlewares: [store]) { _ in try await bench.answer(id) }
        #expect(try await bench.steps(id) == "probe 1, transcribe 1, render 3, sidecars 4")
        #expect(service.received.count == 1)
        #expect(answer.speech?.words == spoken.words.count && bench.text("out/a.srt").contains("six."))
    }

    @Test(.enabled(if: Media.isPresent)) func `A film is read once, and of its sound the ranges before`() async throws {
        let service = try SpokenClip(["one"]).service()
        let bench = try await bench(service)
        let bytes = try Array(Data(contentsOf: URL(filePath: Media.file("video/opossum_720p30_42s.mp4"))))
        bench.server.put("in/film.mp4", bytes)
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/film.mp4", "video": {"preset": "ultrafast", "size": {"width": 320}}}"#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        let read = bench.server.bodyBytesSent
        let ranges = bench.server.requests(.get).map { "\($0.key) \($0.raw.headers["Range"] ?? "")" }
        #expect(Double(read) < 1.15 * Double(bytes.count), "\(read) of \(bytes.count): \(ranges)")
        #expect(service.received.count > 0 && answer.duration > 40)
    }

    /// Pictures of which a request could as well fetch the next one, too, to reach the sound behind it.
    @Test func `Of a film too large for memory, little more is fetched than all of it`() async throws {
        let service = try SpokenClip(["one"]).service()
        let bench = try await bench(service)
        let raw = RawMovie(width: 288, height: 160, frames: 1400, grain: 150)
        let workbench = try Workbench()
        let source = try workbench.put(raw.bytes(0..<raw.size), as: "film.mkv")
        try await workbench.transcode(source, to: "film.mp4") {
            $0.video = VideoSettings(codec: .h264, crf: 2, preset: "ultrafast")
            $0.indexFirst = false
        }
        let bytes = try Array(Data(contentsOf: URL(filePath: workbench.scratch("film.mp4"))))
        #expect(bytes.count > 33 << 20 && bytes.count < 1400 * (32 << 10), "\(bytes.count)")
        bench.server.put("in/film.mp4", bytes)
        let id = try await bench.enqueue(
            "pipeline.caption_video",
            #"{"input": "s3://media/in/film.mp4", "video": {"preset": "ultrafast", "size": {"width": 128}}}"#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        let gets = bench.server.requests(.get).count { $0.key == "in/film.mp4" }
        let read = Double(bench.server.bodyBytesSent) / Double(bytes.count)
        #expect(read < 1.15, "\(read) of \(bytes.count) in \(gets) requests")
        #expect(service.received.count > 0 && answer.duration > 55)
    }
}
