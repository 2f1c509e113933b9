import MediaKit
import Providers
import ProviderTestSupport
import TestSupport
import Testing
import Transfer

/// What a model makes up where nobody speaks.
@Suite struct DoubtedSegmentTests {
    private typealias Hallucination = OpenAIStandIn.Hallucination

    /// Six seconds of speech, ten of silence, six of speech.
    private struct Talk {
        let noise: SpokenNoise
        let silence: ClosedRange<Double>

        init() async throws {
            let first = try await SpokenNoise.made(seconds: 6, seed: 3)
            let second = try await SpokenNoise.made(seconds: 6, seed: 4)
            noise = try await first.followed(by: second, after: 10)
            silence = (first.words.last?.end ?? 0) + 0.5...first.seconds + 10
        }
    }

    private func transcript(_ talk: Talk, _ made: [Hallucination]) async throws -> Transcript {
        let scratch = try Scratch()
        let input = try await SpokenNoise.write([talk.noise.samples], to: scratch)
        let recording = talk.noise.recording
        var manner = OpenAIStandIn.Manner()
        manner.hallucinate = { samples in
            // Chunks begin where something is to be heard.
            let start = Double(recording.place(of: samples) ?? 0) / 16_000
            return made.map {
                var own = $0
                own.start -= start
                own.end -= start
                return own
            }
        }
        let server = try OpenAIStandIn(manner: manner) { samples, _ in recording(samples) }
        let transcriber = OpenAITranscriber(
            settings: OpenAISettings(key: OpenAIStandIn.key, baseURL: try HTTPURL(server.baseURL)),
            client: try HTTPClient())
        return try await transcriber.transcribe(
            TranscriptionRequest(input: input), media: MediaEngine(), progress: nil
        ).transcript
    }

    @Test func `what the model doubts over silence is dropped, with its words`() async throws {
        let talk = try await Talk()
        let from = talk.silence.lowerBound
        let transcript = try await transcript(
            talk,
            [
                Hallucination(from, from + 2, "Thanks for watching.", noSpeech: 0.9, averageLogProbability: -1.4),
                Hallucination(from + 3, from + 5, "la la la la la la la", compressionRatio: 3.1),
            ])
        #expect(transcript.words.map(\.text) == talk.noise.words.map(\.text))
        #expect(!transcript.segments.contains { $0.text.contains("watching") || $0.text.contains("la la") })
    }

    @Test func `a loop over silence is said once`() async throws {
        let talk = try await Talk()
        let from = talk.silence.lowerBound
        let loop = (0..<5).map { Hallucination(from + Double($0) * 1.5, from + Double($0) * 1.5 + 1, "Thank you.") }
        let transcript = try await transcript(talk, loop)
        #expect(transcript.segments.filter { $0.text == "Thank you." }.count == 1)
        #expect(transcript.words.filter { $0.text == "Thank" }.count == 1)
        #expect(transcript.words.count == talk.noise.words.count + 2)
    }

    @Test func `what the model does not doubt stays, and so does what it doubts where something is heard`() async throws
    {
        let talk = try await Talk()
        let from = talk.silence.lowerBound
        let heard = talk.noise.words[0]
        let transcript = try await transcript(
            talk,
            [
                Hallucination(from, from + 1, "Hm.", noSpeech: 0.9, averageLogProbability: -0.3),
                Hallucination(from + 2, from + 3, "Oh.", noSpeech: 0.3, averageLogProbability: -1.5),
                Hallucination(
                    heard.start, heard.end, "Ah.", noSpeech: 0.9, averageLogProbability: -1.5, compressionRatio: 3),
            ])
        let texts = transcript.segments.map(\.text).joined(separator: " ")
        for word in ["Hm.", "Oh.", "Ah."] { #expect(texts.contains(word), "\(word)") }
    }
}
