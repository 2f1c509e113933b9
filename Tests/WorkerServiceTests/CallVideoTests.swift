import Foundation
import JobQueue
import MediaKit
import ProviderTestSupport
import Providers
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

/// From the sound of a call to a video of it, by the steps of `pipeline.call_video`.
@Suite struct CallVideoTests: CallVideoSuite {
    @Test func `Without pictures a wave of the sound is shown, as loud as others are`() async throws {
        let bench = try await bench()
        let id = try await enqueue(
            bench, ##""words": false, "wave": {"colors": ["#FFFFFF"]}, "output": "store://out/call.mp4""##)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(answer.key == "out/call.mp4" && Set(answer.streams.map(\.codec)) == ["h264", "aac"])
        #expect(abs(answer.duration - Self.seconds) < 0.05 && answer.speech == nil)
        let loud = try #require(try await loudness(bench, answer.key).integrated)
        // AAC keeps less of noise than it does of speech.
        #expect(abs(loud - -16) < 1)
        #expect(abs((answer.callLoudness?.after ?? 0) - -16) < 0.5)
        let video = try #require(try bench.film(answer.key).video)
        // Black where nobody speaks, and more than black where somebody does.
        let (quiet, spoken) = (try #require(video.frame(at: 4.35)), try #require(video.frame(at: 2.3)))
        #expect(spoken.width == 320 && spoken.height == 180)
        #expect(spoken.luma.mean() > quiet.luma.mean() + 2, "\(spoken.luma.mean()) \(quiet.luma.mean())")
        let thumbnail = try #require(bench.server.bytes(answer.thumbnail?.key ?? ""))
        #expect(answer.thumbnail?.key == "out/call.jpg" && thumbnail.starts(with: [0xFF, 0xD8]))
        #expect(answer.thumbnail?.size == Int64(thumbnail.count))
        let picture = try #require(try bench.film("out/call.jpg").video?.frames.first)
        // One of those in which there is something to be seen.
        #expect(picture.width == 320 && picture.height == 180 && picture.luma.mean() > quiet.luma.mean() + 1)
        #expect(try await bench.steps(id) == "normalize_audio 1, compose 1, thumbnail 1")
        try await expectNothingLeft(bench)
    }

    @Test func `Pictures and clips go over into each other until the sound ends`() async throws {
        let bench = try await bench()
        bench.server.put("in/dark.png", try await picture(40))
        bench.server.put("in/bright.mkv", film(200, seconds: 1.6).bytes)
        let id = try await enqueue(
            bench,
            #"""
            "words": false, "thumbnail": false, "crossFade": {"seconds": 0.4},
            "pictures": [{"input": "s3://media/in/dark.png", "duration": 1.6}, {"input": "s3://media/in/bright.mkv"}]
            """#)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        let media = try bench.film(answer.key)
        let (video, audio) = (try #require(media.video), try #require(media.audio))
        // The last picture ends with the last sample.
        #expect(abs(video.end - Self.seconds) < 0.001 && abs(audio.end - Self.seconds) < 0.03)
        func luma(_ time: Double) -> Double { video.frame(at: time)?.luma.mean(0.4...0.6, 0.4...0.6) ?? -1 }
        // Each is 1.6 s and shares 0.4 s with the next: dark, bright from 1.2 s, dark again from 2.4 s, bright from 3.6 s.
        for (time, value) in [(0.5, 40.0), (1.4, 120), (2.0, 200), (2.6, 120), (3.2, 40), (4.2, 200)] {
            #expect(abs(luma(time) - value) < 25, "\(time): \(luma(time))")
        }
        #expect(answer.thumbnail == nil)
        try await expectNothingLeft(bench)
    }

    @Test func `Clips before and after have their own sound, and the words are where the call is`() async throws {
        let bench = try await bench()
        bench.server.put("in/intro.mkv", film(40, seconds: 1).bytes)
        bench.server.put("in/outro.mkv", film(200, seconds: 1).bytes)
        let id = try await enqueue(
            bench,
            ##"""
            "intro": "s3://media/in/intro.mkv", "outro": "s3://media/in/outro.mkv", "wave": {"colors": ["#646464"], "backgroundColor": "#646464"},
            "subtitles": {"text": "1\n00:00:01,000 --> 00:00:02,000\nHello there\n"},
            "captions": {"preset": "classic", "highlightColor": "#0000FF", "fontSize": 0.15}
            """##)
        let answer = try await bench.serving { _ in try await bench.answer(id) }
        #expect(abs(answer.duration - Self.seconds - 2) < 0.1)
        let video = try #require(try bench.film(answer.key).video)
        #expect(abs((video.frame(at: 0.5)?.luma.mean() ?? 0) - 40) < 25)
        #expect(abs((video.frame(at: video.end - 0.3)?.luma.mean() ?? 0) - 200) < 25)
        for (time, isThere) in [(1.8, false), (2.2, true), (2.8, true), (3.3, false)] {
            #expect((video.blue(at: time) != nil) == isThere, "\(time)")
        }
        #expect(answer.speech?.words == 2 && Set(answer.streams.map(\.codec)) == ["h264", "aac"])
        #expect(
            try await bench.steps(id)
                == "normalize_audio 1, transcribe 1, compose 1, caption 1, assemble 1, thumbnail 1")
        try await expectNothingLeft(bench)
    }

    @Test func `Each side of a call has its colour`() async throws {
        var bench = try await ServiceBench()
        // One after the other: the caller first.
        let sides = [SpokenClip(["one", "two."], seconds: 4), SpokenClip(["three", "four."], seconds: 4, seed: 9)]
        let late = 2.0
        var shifted = sides[1].samples
        shifted = [Int16](repeating: 0, count: Int(late * 16_000)) + shifted.dropLast(Int(late * 16_000))
        let answering = KnownRecording(
            pcm: shifted,
            words: sides[1].words.map { .init(start: $0.start + late, end: $0.end + late, text: $0.text) })
        let calling = sides[0].recording
        let service = try OpenAIStandIn { samples, _ in
            let words = calling(samples)
            return words.isEmpty ? answering(samples) : words
        }
        let pcm = [sides[0].samples, shifted]
        let sound = TestClip.Audio(seconds: 4, sampleRate: 16_000, channels: 2) { time, channel in
            let index = Int((time * 16_000).rounded())
            return pcm[channel].indices.contains(index) ? Double(pcm[channel][index]) / 32_767 : 0
        }
        bench.server.put("in/call.mkv", TestClip(audio: [sound]).bytes)
        bench.configuration.providers.openAI.key = OpenAIStandIn.key
        bench.configuration.providers.openAI.baseURL = try HTTPURL(service.baseURL)
        let ready = bench
        let id = try await enqueue(
            ready,
            ##"""
            "thumbnail": false, "captions": {"preset": "classic", "speakerColors": ["#0000FF", "#FF0000"], "fontSize": 0.15},
            "wave": {"colors": ["#646464"], "backgroundColor": "#646464"}, "speech": {"channels": "separate", "speakers": ["A", "B"]}
            """##)
        let answer = try await ready.serving { _ in try await ready.answer(id) }
        #expect(service.complaints.isEmpty && answer.speech?.words == 4)
        let transcript = try Transcript.load(
            ready.server.bytes(String(answer.transcript?.dropFirst("s3://media/".count) ?? "")) ?? [])
        #expect(transcript.segments.map(\.speaker) == ["A", "B"] && transcript.segments.map(\.channel) == [0, 1])
        let video = try #require(try ready.film(answer.key).video)
        #expect(video.blue(at: 0.8) != nil && video.red(at: 0.8) == nil)
        #expect(video.red(at: 2.8) != nil && video.blue(at: 2.8) == nil)
        #expect(try #require(try ready.film(answer.key).audio).channels == 1)
    }

    @Test func `Pictures are ordered once, though what is made of them fails`() async throws {
        let store = StubbornStore(refusing: ["picture-1.png", "picture-2.png", "call.mp4"])
        var bench = try await bench(store)
        let files = [try await picture(40), try await picture(200)]
        let site = try RawServer { connection in
            while let (head, _) = try connection.readRequest() {
                try connection.respond(
                    200, headers: ["Content-Type": "image/png"], body: files[head.path.hasSuffix("1.png") ? 0 : 1])
            }
        }
        let fal = try FalStandIn(polls: 1) { order, _ in
            .done([
                "images": [["url": .string(site.url("/\(order.number).png")), "content_type": "image/png"]]
            ])
        }
        bench.configuration.providers.fal.key = "key-id:key-secret-0123"
        bench.configuration.providers.fal.queueURL = try fal.queueURL
        let ready = bench
        let id = try await enqueue(
            ready,
            #"""
            "words": false, "thumbnail": false, "generate": {"prompts": ["a harbour", "a train"]},
            "crossFade": {"seconds": 0.5}, "output": "store://out/call.mp4"
            """#)
        let answer = try await ready.serving(middlewares: [store]) { _ in try await ready.answer(id) }
        #expect(fal.orders.map { $0.input["prompt"]?.string } == ["a harbour", "a train"])
        #expect(
            try await ready.steps(id)
                == "normalize_audio 1, order_picture_1 1, order_picture_2 1, fetch_picture_1 2, fetch_picture_2 3, compose 4"
        )
        let video = try #require(try ready.film(answer.key).video)
        #expect(abs((video.frame(at: 1)?.luma.mean() ?? 0) - 40) < 25)
        #expect(abs(video.end - Self.seconds) < 0.05)
        try await expectNothingLeft(ready)
    }

    @Test func `What is asked for wrongly is dead at once, and says why`() async throws {
        let bench = try await bench()
        let cases = [
            (#""generate": {"prompts": []}"#, "prompts"), (#""loudness": 3"#, "loudness"),
            (#""pictures": [{"input": "a"}], "generate": {"prompts": ["b"]}"#, "pictures"),
            (#""size": {"width": 321, "height": 180}"#, "even"), (#""musik": {}"#, "musik"),
            // What only a late step would stumble over.
            (#""pictures": [{"input": "a"}], "crossFade": {"seconds": -1}"#, "crossFade"),
            (#""pictures": [{"input": "a", "start": 3, "end": 2}]"#, "start"),
            (##""wave": {"colors": ["#FFFFFF80"]}"##, "opaque"),
            (#""video": {"codec": "copy"}, "words": false"#, "copy"),
            (#""output": "store://a.mp3""#, "pictures"),
        ]
        var ids: [JobID] = []
        for (more, _) in cases {
            ids.append(
                try await bench.enqueue("pipeline.call_video", #"{"audio": "s3://media/in/call.mkv", \#(more)}"#))
        }
        try await bench.serving { [ids] _ in
            for (id, test) in zip(ids, cases) {
                let job = try await bench.failed(id)
                let message = job.errors?.last?.message ?? ""
                #expect(job.state == .dead && job.attempt == 1 && message.contains(test.1), "\(test): \(message)")
                #expect(try await bench.steps(id).isEmpty)
            }
        }
    }
}
