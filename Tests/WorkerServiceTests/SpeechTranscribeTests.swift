import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import TransferTestSupport

@testable import Worker

/// From a row in the queue to subtitles in the store, by a real recogniser.
@Suite struct SpeechTranscribeTests {
    static let canRecognise =
        Media.isPresent && FileManager.default.fileExists(atPath: "/usr/share/pocketsphinx/model/en-us")

    /// What its jobs answer.
    private struct Answer: Decodable, Sendable {
        struct Output: Decodable, Sendable {
            var key: String?
            var size: Int64
        }
        struct Usage: Decodable, Sendable {
            var audioSeconds: Double
            var bytesRead: Int64
        }
        var outputs: [Output]
        var duration: Double
        var engine: String
        var quality: String
        var language: String
        var words: Int
        var text: String
        var usage: Usage
    }

    @Test(.enabled(if: canRecognise))
    func `A recording becomes subtitles and JSON under keys of the job's own`() async throws {
        let bench = try await ServiceBench()
        bench.server.put("in/jfk.wav", try Array(Data(contentsOf: URL(filePath: Media.file("audio/jfk_16k.wav")))))
        let job = try await bench.enqueue(
            "speech.transcribe", #"{"input": "s3://media/in/jfk.wav", "engine": "pocketsphinx"}"#)
        let answer = try await bench.serving { _ in
            try await bench.queue.wait(for: job, as: Answer.self, timeout: .seconds(240))
        }
        #expect(answer.engine == "pocketsphinx" && answer.quality == "draft" && answer.language == "en")
        #expect(answer.words > 8 && answer.text.contains("country"), "\(answer.text)")
        #expect(abs(answer.duration - 11) < 0.1 && answer.usage.bytesRead > 300_000)
        #expect(answer.outputs.map { ($0.key ?? "").suffix(4) } == ["json", ".srt", ".vtt"])
        let id = job.uuidString.lowercased()
        #expect(answer.outputs.allSatisfy { $0.key?.contains(id) == true })

        let json = try #require(bench.server.bytes(answer.outputs[0].key ?? ""))
        let transcript = try Transcript.load(json)
        #expect(transcript.words.count == answer.words)
        let vtt = String(decoding: bench.server.bytes(answer.outputs[2].key ?? "") ?? [], as: UTF8.self)
        #expect(vtt.hasPrefix("WEBVTT") && vtt.contains("country"))
        #expect(bench.server[answer.outputs[2].key ?? ""]?.contentType == "text/vtt")
        let srt = String(decoding: bench.server.bytes(answer.outputs[1].key ?? "") ?? [], as: UTF8.self)
        #expect(srt.hasPrefix("1\n00:00:0") && srt.contains(" --> "))
        #expect(Int64(srt.utf8.count) == answer.outputs[1].size)
    }

    @Test(.enabled(if: canRecognise))
    func `Each format has the place that the payload names`() async throws {
        let bench = try await ServiceBench()
        bench.server.put(
            "in/music.mp3", try Array(Data(contentsOf: URL(filePath: Media.file("audio/guitar_music.mp3")))))
        let job = try await bench.enqueue(
            "speech.transcribe",
            #"""
            {"input": "s3://media/in/music.mp3", "engine": "pocketsphinx", "end": 3, "formats": ["txt", "srt"],
             "output": "s3://media/out/{jobId}.srt", "captions": {"maximumLines": 1}, "metadata": {"id": 7}}
            """#)
        let answer = try await bench.serving { _ in
            try await bench.queue.wait(for: job, as: Answer.self, timeout: .seconds(240))
        }
        let id = job.uuidString.lowercased()
        #expect(answer.outputs.map(\.key) == ["out/\(id).txt", "out/\(id).srt"])
    }

    @Test func `Without what the engine needs, the job says what that is`() async throws {
        let bench = try await ServiceBench()
        let job = try await bench.enqueue(
            "speech.transcribe", #"{"input": "s3://media/in/jfk.wav", "engine": "whisper"}"#, ", max_attempts => 1")
        let failure = try await bench.serving { _ in
            await #expect(throws: JobFailure.self) {
                try await bench.queue.wait(for: job, as: Answer.self, timeout: .seconds(60))
            }
        }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("WHISPER_MODEL"))
    }

    @Test func `An output that is another's is refused before anything is listened to`() async throws {
        let bench = try await ServiceBench()
        bench.server.put("out/talk.vtt", [1])
        let job = try await bench.enqueue(
            "speech.transcribe",
            #"""
            {"input": "s3://media/in/none.wav", "engine": "pocketsphinx", "formats": ["json", "vtt"],
             "output": "s3://media/out/talk.json"}
            """#, ", max_attempts => 1")
        let failure = try await bench.serving { _ in
            await #expect(throws: JobFailure.self) {
                try await bench.queue.wait(for: job, as: Answer.self, timeout: .seconds(60))
            }
        }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("out/talk.vtt"), "\(String(describing: failure))")
        #expect(bench.server.keys == ["out/talk.vtt"] && bench.server.uploads.isEmpty)
    }

    @Test func `Names of outputs end as their formats do`() {
        #expect(SpeechRun.template("s3://b/a.srt") == "s3://b/a.{extension}")
        #expect(SpeechRun.template("s3://b/a") == "s3://b/a.{extension}")
        #expect(SpeechRun.template("s3://b/v1.2/talk") == "s3://b/v1.2/talk.{extension}")
        #expect(SpeechRun.template("a-{extension}/x") == "a-{extension}/x")
    }

    // MARK: The command

    @Test(.enabled(if: canRecognise)) func `The command writes what its outputs' names say`() async throws {
        let folder = try Scratch()
        let input = Media.file("audio/jfk_16k.wav")
        let ran = try await KilnProcess.run(
            ["transcribe", input, "a.srt", "b.txt", "--engine", "pocketsphinx", "--json", "--progress", "json"],
            in: folder.path)
        #expect(ran.status == 0, "\(ran.error)")
        #expect(folder.names == ["a.srt", "b.txt"])
        struct Report: Decodable {
            var engine: String
            var quality: String
            var words: Int
        }
        let report = try ran.decoded(Report.self)
        #expect(report.engine == "pocketsphinx" && report.quality == "draft" && report.words > 8)
        #expect(String(decoding: folder.bytes("a.srt"), as: UTF8.self).contains(" --> "))
        let text = String(decoding: folder.bytes("b.txt"), as: UTF8.self)
        #expect(text.contains("country") && !text.contains("-->"))
        #expect(ran.error.contains("\"fraction\""))
        // What is there is not replaced unasked.
        let again = try await KilnProcess.run(
            ["transcribe", input, "a.srt", "--engine", "pocketsphinx", "--end", "2"], in: folder.path)
        #expect(again.status == 73, "\(again.error)")
    }

    @Test(.enabled(if: canRecognise)) func `To standard output goes the text alone, and a draft is called one`()
        async throws
    {
        let ran = try await KilnProcess.run(
            ["transcribe", Media.file("audio/jfk_16k.wav"), "-", "--format", "vtt", "--engine", "pocketsphinx"])
        #expect(ran.status == 0 && ran.text.hasPrefix("WEBVTT"), "\(ran.error)")
        #expect(ran.error.contains("draft"))
    }

    @Test func `The command names a model that is missing`() async throws {
        let ran = try await KilnProcess.run(
            ["transcribe", "a.wav", "-", "--engine", "pocketsphinx"],
            environment: ["POCKETSPHINX_MODEL": "/nowhere/en-us"])
        #expect(ran.status == 78 && ran.error.contains("pocketsphinx-en-us"), "\(ran.error)")
        let unknown = try await KilnProcess.run(["transcribe", "a.wav", "a.docx"])
        #expect(unknown.status == 64 && unknown.error.contains("--format"), "\(unknown.error)")
    }
}
