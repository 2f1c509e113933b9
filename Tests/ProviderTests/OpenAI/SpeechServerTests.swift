import MediaKit
import Providers
import ProviderTestSupport
import TestSupport
import Testing
import Transfer

/// Servers that take less than OpenAI's, or say otherwise what is wrong.
@Suite struct SpeechServerTests {
    private let scratch: Scratch
    private let noise: SpokenNoise
    private let input: String

    init() async throws {
        scratch = try Scratch()
        noise = try await SpokenNoise.made(seconds: 30)
        input = try await SpokenNoise.write([noise.samples], to: scratch)
    }

    private func server(
        _ dialect: OpenAIStandIn.Dialect = .openAI, faults: [Int: OpenAIStandIn.Fault] = [:],
        endings: Set<String> = ["ogg", "flac", "wav", "mp3"]
    ) throws -> OpenAIStandIn {
        let recording = noise.recording
        var manner = OpenAIStandIn.Manner()
        manner.endings = endings
        return try OpenAIStandIn(dialect, faults: faults, manner: manner) { samples, _ in recording(samples) }
    }

    private func transcribe(
        _ server: OpenAIStandIn, language: String? = nil, prompt: String? = nil, format: SpeechFileFormat = .opus,
        longestChunk: Double = 12
    ) async throws -> Transcription {
        try await OpenAITranscriber(
            settings: OpenAISettings(key: OpenAIStandIn.key, baseURL: try HTTPURL(server.baseURL)),
            client: try HTTPClient(), requests: 1, format: format, longestChunk: longestChunk
        ).transcribe(
            TranscriptionRequest(input: input, language: language, prompt: prompt), media: MediaEngine(), progress: nil)
    }

    private func failure(_ body: () async throws -> Transcription) async -> ProviderError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? ProviderError
        }
    }

    // MARK: Formats

    @Test(arguments: OpenAIStandIn.Dialect.allCases) func `a server that cannot read Opus is sent WAV`(
        dialect: OpenAIStandIn.Dialect
    ) async throws {
        let server = try self.server(dialect, endings: ["wav"])
        let made = try await transcribe(server)
        #expect(made.transcript.words.map(\.text) == noise.words.map(\.text))
        // It is found out once for a recording.
        #expect(server.complaints.count == 1 && server.received.count >= 3)
        #expect(server.received.allSatisfy { $0.form.file?.name == "speech.wav" })
    }

    @Test func `a server that cannot read anything says so`() async throws {
        let server = try self.server(endings: [])
        let error = await failure { try await transcribe(server) }
        #expect(error?.code == .badRequest && error?.description.contains("Unsupported file format wav") == true)
        #expect(server.attempts == 2)
    }

    @Test func `an error that comes as if all were well is no silence`() async throws {
        let refused = #"{"error":"failed to read audio data"}"#
        let server = try self.server(.whisperCpp, faults: [1: .answer(200, body: refused)])
        #expect(try await transcribe(server).transcript.words.map(\.text) == noise.words.map(\.text))
        let broken = try self.server(.whisperCpp, faults: [1: .answer(200, body: #"{"error":"out of memory"}"#)])
        let error = await failure { try await transcribe(broken, format: .wav) }
        #expect(error?.code == .badAnswer && error?.isRetryable == true)
        #expect(error?.description.contains("out of memory") == true)
    }

    @Test(arguments: ["<!DOCTYPE html><p>Sign in</p>", "{}", #"{"status":"ok"}"#])
    func `what is no answer is no transcript`(body: String) async throws {
        let server = try self.server(faults: [1: .answer(200, body: body)])
        let error = await failure { try await transcribe(server) }
        #expect(error?.code == .badAnswer && error?.description.contains("OPENAI_BASE_URL") == true)
    }

    // MARK: What is wrong

    @Test func `a form that FastAPI refuses by its name is not asked for again`() async throws {
        let refused = #"{"detail":[{"loc":["body","timestamp_granularities[]"],"msg":"Input should be 'segment'"}]}"#
        let server = try self.server(faults: [1: .answer(422, body: refused)])
        let made = try await transcribe(server)
        let text = made.transcript.segments.map(\.text).joined(separator: " ")
        #expect(text == noise.words.map(\.text).joined(separator: " "))
        #expect(server.received.allSatisfy { $0.form.values("timestamp_granularities[]").isEmpty })
    }

    @Test func `an error does not repeat what was sent`() async throws {
        let prompt = "The patient's name is Erika Mustermann, born in 1964"
        let body = #"{"error":{"message":"cannot make sense of \#(prompt)","type":"invalid_request_error"}}"#
        let server = try self.server(faults: [1: .answer(400, body: body)])
        let error = await failure { try await transcribe(server, prompt: prompt) }
        #expect(error?.code == .badRequest && "\(error.map { "\($0)" } ?? "")".contains("Erika") == false)
    }

    @Test func `a language is sent by its code, and what is none is refused before anything is sent`() async throws {
        let server = try self.server()
        _ = try await transcribe(server, language: "English")
        #expect(server.received.allSatisfy { $0.form["language"] == "en" })
        let before = server.attempts
        let error = await failure { try await transcribe(server, language: "Klingonian") }
        #expect(error?.code == .badRequest && server.attempts == before)
    }
}
