import Foundation
import MediaKit
import Providers
import ProviderTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

/// Five minutes in chunks of one: a real recording of the media folder, else noise.
@Suite struct LongRecordingTests {
    private struct Recording {
        var input: String
        var known: KnownRecording
        let scratch: Scratch
    }

    @Test(.timeLimit(.minutes(5))) func `no word of five minutes is doubled or lost, and all are in time`() async throws
    {
        let recording = try await self.recording()
        let known = recording.known
        let server = try OpenAIStandIn { samples, _ in known(samples) }
        let transcriber = OpenAITranscriber(
            settings: OpenAISettings(key: OpenAIStandIn.key, baseURL: try HTTPURL(server.baseURL)),
            client: try HTTPClient(), requests: 2, longestChunk: 60)
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: recording.input), media: MediaEngine(), progress: nil)
        #expect(server.received.count >= 5 && server.complaints.isEmpty)
        #expect(made.transcript.words.map(\.text) == known.words.map(\.text))
        for (heard, word) in zip(made.transcript.words, known.words) {
            #expect(abs(heard.start - word.start) < 0.05 && abs(heard.end - word.end) < 0.05, "\(heard), \(word)")
        }
        let length = Double(known.pcm.count) / 16_000
        #expect(abs(made.transcript.duration - length) < 0.01)
        #expect(made.usage.audioSeconds < length + 30 && (made.usage.cost ?? 0) > 0.02)
    }

    private func recording() async throws -> Recording {
        let scratch = try Scratch()
        guard Media.isPresent else {
            let noise = try await SpokenNoise.made(seconds: 300)
            return Recording(
                input: try await SpokenNoise.write([noise.samples], to: scratch), known: noise.recording,
                scratch: scratch)
        }
        let input = Media.file("audio/long_en_8k_5min.flac")
        let text = try String(contentsOfFile: Media.file("audio/long_en_8k_5min.srt"), encoding: .utf8)
        let pcm = try await sound(input)
        let known = try await BlockingThread.run { KnownRecording(pcm: pcm, words: Self.words(text)) }
        return Recording(input: input, known: known, scratch: scratch)
    }

    /// The words of an SRT file, each as long as its share of the letters.
    private static func words(_ text: String) -> [Transcript.Word] {
        text.replacingOccurrences(of: "\r", with: "").components(separatedBy: "\n\n").flatMap {
            cue -> [Transcript.Word] in
            let lines = cue.split(separator: "\n")
            guard lines.count > 2 else { return [] }
            let times = lines[1].components(separatedBy: " --> ").map { time in
                time.replacingOccurrences(of: ",", with: ".").split(separator: ":").reduce(0.0) {
                    $0 * 60 + (Double($1) ?? 0)
                }
            }
            // A sign by itself belongs to the word before it.
            let words = lines[2...].joined(separator: " ").split(separator: " ").reduce(into: [String]()) {
                words, part in
                if part.contains(where: { $0.isLetter || $0.isNumber }) || words.isEmpty {
                    words.append(String(part))
                } else {
                    words[words.count - 1] += " " + part
                }
            }
            let letters = Double(words.reduce(0) { $0 + $1.count })
            var position = times[0]
            return words.map { word in
                let length = (times[1] - times[0]) * Double(word.count) / letters
                defer { position += length }
                return Transcript.Word(start: position, end: position + length, text: String(word))
            }
        }
    }
}
