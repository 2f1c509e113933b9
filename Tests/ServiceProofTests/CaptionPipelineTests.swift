import Foundation
import JobQueue
import Locking
import MediaKit
import PostgresTestSupport
import ProviderTestSupport
import Providers
import ServiceTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

@testable import Worker

extension Proof {
    /// Captions on a video as an app has them made: by HTTP, by workers that are processes, by a recogniser behind OpenAI's
    /// interface.
    @Suite(.timeLimit(.minutes(15))) struct CaptionPipelineTests {
        private static let look = ##"{"preset": "classic", "highlightColor": "#0000FF", "fontSize": 0.12}"##

        /// What the API says of a video.
        private struct Video: Decodable, Sendable {
            struct Result: Decodable, Sendable {
                struct Speech: Decodable, Sendable {
                    var words: Int
                    var engine: String?
                }
                var key: String
                var transcript: String?
                var speech: Speech?
            }
            var status: String
            var step: String?
            var progress: Int
            var resultUrl: String?
            var result: Result?
            var error: String?
        }

        /// A worker with the API, and what is asked of it.
        private struct App {
            let bench: ProofBench
            let worker: RunningKiln
            let port: Int
            let client: HTTPClient
            let scratch: Scratch

            init(_ bench: ProofBench, _ service: OpenAIStandIn) async throws {
                self.bench = bench
                scratch = try Scratch()
                let migration = try await KilnProcess.run(
                    ["migrate"], environment: ["DATABASE_URL": bench.database.url])
                guard migration.status == 0 else { throw BenchFailure(migration.error) }
                let worker = try await bench.worker(
                    CaptionPipelineTests.settings(service).merging(["KILN_HTTP_PORT": "0"]) { $1 }, ["--http"])
                self.worker = worker
                port = try await bench.until { worker.port(of: "API") }
                client = try HTTPClient(
                    HTTPConfiguration(
                        addressGuard: AddressGuard(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })))
            }

            private func send(_ method: HTTPMethod, _ url: String, _ body: String? = nil) async throws -> HTTPReply {
                try await client.send(
                    HTTPRequest(
                        method, try HTTPURL(url), headers: body == nil ? [:] : ["Content-Type": "application/json"],
                        body: body.map { .text($0) } ?? .empty, destination: .trusted), limit: 256 << 20)
            }

            /// Has a video processed, and asks for it until it is there.
            func processed(_ body: String) async throws -> (video: Video, film: String) {
                let api = "http://127.0.0.1:\(port)"
                _ = try await bench.until { () async throws -> Bool? in
                    guard !worker.hasEnded else { throw BenchFailure(bench.logs) }
                    return try? await send(.get, api + "/ready").status == 200
                }
                struct Started: Decodable { var statusUrl: String }
                let reply = try await send(.post, api + "/api/video/process", body)
                guard reply.status == 202 else {
                    throw BenchFailure("\(reply.status): \(String(decoding: reply.body, as: UTF8.self))")
                }
                let started = try JSONDecoder().decode(Started.self, from: Data(reply.body))
                let url = started.statusUrl.hasPrefix("http") ? started.statusUrl : api + started.statusUrl
                let video = try await bench.until { () async throws -> Video? in
                    let video = try JSONDecoder().decode(Video.self, from: Data(try await send(.get, url).body))
                    guard !["failed", "cancelled"].contains(video.status) else {
                        throw BenchFailure("\(video.error ?? "")\n\(bench.logs)")
                    }
                    return video.status == "completed" ? video : nil
                }
                let film = try await send(.get, try #require(video.resultUrl))
                return (video, try scratch.put("film-\(UUID().uuidString).mp4", film.body))
            }

            /// What was recognised.
            func transcript(_ video: Video) async throws -> Transcript {
                let url = try #require(video.result?.transcript)
                let key = url.split(separator: "/", maxSplits: 2).dropFirst(2).first.map(String.init) ?? ""
                let bytes = try await bench.store.read(key, range: nil, ifMatch: nil) { content in
                    var bytes: [UInt8] = []
                    for try await chunk in content.bytes { bytes += chunk }
                    return bytes
                }
                return try Transcript.load(bytes)
            }
        }

        private static func settings(_ service: OpenAIStandIn) -> [String: String] {
            [
                "OPENAI_API_KEY": OpenAIStandIn.key, "OPENAI_BASE_URL": service.baseURL,
                "KILN_SPEECH_ENGINE": "openai", "KILN_ALLOWED_NETWORKS": "127.0.0.0/8",
            ]
        }

        @Test func `A video that is posted comes back with each word lit while it is said`() async throws {
            let spoken = SpokenClip(), service = try spoken.service()
            let server = try S3Server()
            let bench = try await ProofBench.on(server)
            server.put("in/talk.mkv", spoken.clip().bytes)
            server.put("in/phone.mp4", try await spoken.phoneMovie())
            let app = try await App(bench, service)
            for (key, size) in [("in/talk.mkv", (320, 180)), ("in/phone.mp4", (180, 320))] {
                let made = try await app.processed(
                    #"{"videoKey": "\#(key)", "captions": \#(Self.look), "sidecars": ["srt"]}"#)
                #expect(made.video.progress == 100 && made.video.result?.speech?.words == spoken.words.count)
                let film = try #require(try DecodedMedia(path: made.film, pictureWidth: 4096).video)
                let frame = try #require(film.frames.first)
                #expect(frame.width == size.0 && frame.height == size.1)
                #expect(!film.hasInk(at: 0.4) && !film.hasInk(at: film.end - 0.1))
                for word in spoken.words {
                    let place = film.blue(at: word.start + 0.12)
                    #expect(place != nil && place == film.blue(at: word.end - 0.1), "\(key): \(word)")
                }
            }
            #expect(service.complaints.isEmpty && service.received.count == 2)
        }

        @Test(.enabled(if: Media.isPresent))
        func `Five minutes in chunks come back without a word lost or doubled`() async throws {
            let input = Media.file("audio/long_en_8k_5min.flac")
            let pcm = Locked<[Int16]>([])
            try await MediaEngine().readSound(SoundRequest(input: input)) { block in
                pcm.withLock { $0 += block.samples[0] }
            }
            let words = try Self.words(of: Media.file("audio/long_en_8k_5min.srt"))
            let known = KnownRecording(pcm: pcm.withLock { $0 }, words: words)
            // The service takes no more than that, so that there are seams.
            let service = try OpenAIStandIn(longest: 100) { samples, _ in known(samples) }
            let film = try Scratch()
            _ = try await MediaEngine().run(
                Waveform(
                    input: input, output: film("film.mkv"), width: 320, height: 180,
                    frameRate: FrameRate(Rational(10, 1)),
                    colors: [CaptionColor("#646464")].compactMap { $0 },
                    backgroundColor: CaptionColor("#646464") ?? .black,
                    video: VideoSettings(codec: .h264, crf: 20, preset: "ultrafast")))
            let server = try S3Server()
            let bench = try await ProofBench.on(server)
            server.put("in/film.mkv", film.bytes("film.mkv"))
            let app = try await App(bench, service)
            let made = try await app.processed(#"{"videoKey": "in/film.mkv", "captions": \#(Self.look)}"#)
            #expect(service.received.count >= 3)
            let heard = try await app.transcript(made.video).words
            // A sign that is said by itself is written to the word before it.
            #expect(heard.flatMap { $0.text.split(separator: " ") } == words.flatMap { $0.text.split(separator: " ") })
            let video = try #require(try DecodedMedia(path: made.film, pictureWidth: 4096, keepsSound: false).video)
            var lit = 0, asked = 0
            for word in words where word.end - word.start > 0.3 {
                asked += 1
                if video.blue(at: (word.start + word.end) / 2) != nil { lit += 1 }
            }
            // The letters are small; a few words have no letter that is wide enough for the plane of colour.
            #expect(asked > 100 && Double(lit) > 0.97 * Double(asked), "\(lit) of \(asked)")
        }

        @Test(
            .enabled(
                if: Media.isPresent && FileManager.default.fileExists(atPath: "/usr/share/pocketsphinx/model/en-us")))
        func `A real recogniser behind the service's interface is heard`() async throws {
            // What is posted there is recognised here.
            let recogniser = PocketSphinxTranscriber(modelFolder: "/usr/share/pocketsphinx/model/en-us")
            let service = try OpenAIStandIn { samples, _ in
                let call = BlockingCall {
                    let scratch = try Scratch()
                    let clip = TestClip(audio: [
                        .init(seconds: Double(samples.count) / 16_000, sampleRate: 16_000) { time, _ in
                            let index = Int((time * 16_000).rounded())
                            return samples.indices.contains(index) ? Double(samples[index]) / 32_767 : 0
                        }
                    ])
                    let input = try scratch.put("in.mkv", clip.bytes)
                    defer { withExtendedLifetime(scratch) {} }
                    return try await recogniser.transcribe(
                        TranscriptionRequest(input: input), media: MediaEngine(), progress: nil
                    ).transcript.words
                }
                return (try? call.wait()) ?? []
            }
            let server = try S3Server()
            let bench = try await ProofBench.on(server)
            let film = try Scratch()
            let speech = Media.file("audio/jfk_16k.wav")
            _ = try await MediaEngine().run(
                Waveform(
                    input: speech, output: film("film.mkv"), width: 320, height: 180,
                    colors: [CaptionColor("#646464")].compactMap { $0 },
                    backgroundColor: CaptionColor("#646464") ?? .black,
                    video: VideoSettings(codec: .h264, crf: 12, preset: "ultrafast")))
            server.put("in/film.mkv", film.bytes("film.mkv"))
            let app = try await App(bench, service)
            let made = try await app.processed(
                #"{"videoKey": "in/film.mkv", "language": "en", "captions": \#(Self.look), "sidecars": ["srt"]}"#)
            let heard = try await app.transcript(made.video)
            let text = heard.segments.map(\.text).joined(separator: " ").lowercased()
            #expect(text.contains("fellow american") && heard.words.count > 10, "\(text)")
            let video = try #require(try DecodedMedia(path: made.film, pictureWidth: 4096, keepsSound: false).video)
            for word in heard.words where word.end - word.start > 0.2 {
                #expect(video.blue(at: (word.start + word.end) / 2) != nil, "\(word)")
            }
        }

        @Test(arguments: ["transcribe", "render", "sidecars"])
        func `A worker that is killed in a step is followed by one that goes on there`(step: String) async throws {
            let spoken = SpokenClip(), listening = AsyncFlag(), go = ThreadSignal()
            let recording = spoken.recording
            defer { go.raise() }
            let first = Locked(true)
            let service = try OpenAIStandIn { samples, _ in
                if step == "transcribe",
                    first.withLock({ isFirst in
                        defer { isFirst = false }; return isFirst
                    })
                {
                    listening.raise()
                    go.wait()
                }
                return recording(samples)
            }
            let ending = ["render": ".mp4", "sidecars": ".srt"][step]
            let server = try S3Server { request in
                guard let ending, request.key.hasSuffix(ending), [.put, .createUpload].contains(request.operation),
                    first.withLock({ isFirst in
                        defer { isFirst = false }; return isFirst
                    })
                else { return nil }
                listening.raise()
                return .hold(go)
            }
            let bench = try await ProofBench.on(server)
            server.put("in/talk.mkv", spoken.clip().bytes)
            let id = try await bench.enqueue(
                "pipeline.caption_video",
                #"{"input": "store://in/talk.mkv", "captions": \#(Self.look), "sidecars": ["srt"], "output": "store://out/a.mp4"}"#
            )
            let worker = try await bench.worker(Self.settings(service))
            await listening.wait()
            let finished = """
                SELECT string_agg(name || ' ' || finished_at, ', ' ORDER BY seq) FROM kiln.pipeline_steps
                WHERE job = '\(id.uuidString)' AND status = 'succeeded'
                """
            let before = try await bench.sql(finished)
            #expect(before.hasPrefix("probe ") && !before.contains(step))
            worker.signal(SIGKILL)
            #expect(await worker.end() == -1)
            go.raise()
            try await bench.endLease(of: worker.pid)
            _ = try await bench.worker(Self.settings(service))
            let result = try await bench.result(id)
            #expect(result.key == "out/a.mp4")
            // A lost worker costs no attempt; when a step was finished tells whether it ran again.
            let after = try await bench.sql(finished)
            #expect(after.hasPrefix(before) && after.contains("sidecars"), "\(before)\n\(after)\n\(bench.logs)")
            // What was recognised was not recognised again.
            #expect(service.received.count == (step == "transcribe" ? 2 : 1))
            #expect(server.uploads.isEmpty && server.bytes("out/a.srt") != nil)
        }

        /// The words of an SRT file, each as long as its share of the letters.
        private static func words(of path: String) throws -> [Transcript.Word] {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try Transcript.read(Array(text.utf8), name: "words.srt").segments.flatMap {
                cue -> [Transcript.Word] in
                let words = cue.text.split(whereSeparator: \.isWhitespace)
                let letters = Double(words.reduce(0) { $0 + $1.count })
                var position = cue.start
                return words.map { word in
                    let length = (cue.end - cue.start) * Double(word.count) / letters
                    defer { position += length }
                    return Transcript.Word(start: position, end: position + length, text: String(word))
                }
            }
        }
    }
}
