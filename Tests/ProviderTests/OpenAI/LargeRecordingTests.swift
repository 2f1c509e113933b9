import Foundation
import MediaKit
import Providers
import ProviderTestSupport
import TestSupport
import Testing
import Transfer
import TransferTestSupport

/// Recordings whose bytes are more than a service takes in one request.
@Suite(.serialized) struct LargeRecordingTests {
    /// A word each second, and in each second's first samples its number, so that the place of a chunk is found at once.
    private struct Counted: Sendable {
        let seconds: Int
        private static let mark: [Int16] = [101, -103, 107, -109]

        /// A WAV file.
        var bytes: [UInt8] {
            var state: UInt64 = 7
            var second = [Int16](repeating: 0, count: 16_000)
            for index in 1_600..<12_000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                second[index] = Int16(truncatingIfNeeded: Int(state >> 50) - 8192)
            }
            var bytes: [UInt8] = []
            func put<Number: FixedWidthInteger>(_ number: Number) {
                withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
            }
            bytes += Array("RIFF".utf8)
            put(UInt32(36 + seconds * 32_000))
            bytes += Array("WAVEfmt ".utf8)
            put(UInt32(16))
            put(UInt16(1))
            put(UInt16(1))
            put(UInt32(16_000))
            put(UInt32(32_000))
            put(UInt16(2))
            put(UInt16(16))
            bytes += Array("data".utf8)
            put(UInt32(seconds * 32_000))
            bytes.reserveCapacity(bytes.count + seconds * 32_000)
            for number in 0..<seconds {
                second.replaceSubrange(0..<6, with: Self.mark + [Int16(number / 64), Int16(number % 64)])
                second.withUnsafeBytes { bytes += $0 }
            }
            return bytes
        }

        var words: [Transcript.Word] { (0..<seconds).map(word) }

        private func word(_ number: Int) -> Transcript.Word {
            let start = Double(number) + 0.1
            return Transcript.Word(start: start, end: start + 0.65, text: "w\(number)\(number % 10 == 9 ? "." : "")")
        }

        /// The words in a chunk, with its own times; one that is cut is heard as something else.
        func callAsFunction(_ chunk: [Int16]) -> [Transcript.Word] {
            guard
                let mark = (0..<min(chunk.count - 6, 40_000)).first(where: {
                    chunk[$0] == Self.mark[0] && Array(chunk[$0..<$0 + 4]) == Self.mark
                })
            else { return [] }
            let first = (Int(chunk[mark + 4]) * 64 + Int(chunk[mark + 5])) * 16_000 - mark
            let (from, to) = (Double(first) / 16_000, Double(first + chunk.count) / 16_000)
            return (max(0, Int(from))..<min(seconds, Int(to) + 1)).compactMap { number in
                var word = word(number)
                guard word.end > from + 0.2, word.start < to - 0.2 else { return nil }
                if word.start < from || word.end > to { word.text = "cut" }
                word.start = max(word.start, from) - from
                word.end = min(word.end, to) - from
                return word
            }
        }
    }

    private func expectAll(_ counted: Counted, _ transcript: Transcript) {
        #expect(transcript.words.map(\.text) == counted.words.map(\.text))
        #expect(zip(transcript.words, counted.words).allSatisfy { abs($0.start - $1.start) < 0.01 })
    }

    private func transcribe(_ counted: Counted, _ server: OpenAIStandIn) async throws -> Transcription {
        let scratch = try Scratch()
        // 50 MB of samples are made and decoded: not on the threads that all tests share.
        let input = try await BlockingThread.run { try scratch.put("large.wav", counted.bytes) }
        return try await OpenAITranscriber(
            settings: OpenAISettings(key: OpenAIStandIn.key, baseURL: try HTTPURL(server.baseURL)),
            client: try HTTPClient(), requests: 2, format: .wav, longestChunk: 1300
        ).transcribe(TranscriptionRequest(input: input), media: MediaEngine(), progress: nil)
    }

    @Test(.timeLimit(.minutes(5))) func `no request is larger than the service takes, and no word is lost`()
        async throws
    {
        let counted = Counted(seconds: 1500)
        let server = try OpenAIStandIn { samples, _ in counted(samples) }
        let made = try await transcribe(counted, server)
        #expect(server.complaints.isEmpty && server.received.count == 2)
        #expect(server.largestRequest > 23 << 20 && server.largestRequest <= 25 << 20)
        expectAll(counted, made.transcript)
    }

    @Test(.timeLimit(.minutes(5))) func `what a smaller limit refuses is sent in parts`() async throws {
        let counted = Counted(seconds: 400)
        var manner = OpenAIStandIn.Manner()
        manner.largest = 5 << 20
        let server = try OpenAIStandIn(manner: manner) { samples, _ in counted(samples) }
        let made = try await transcribe(counted, server)
        #expect(server.complaints.count >= 2 && server.received.count >= 3)
        #expect(server.received.allSatisfy { $0.samples.count * 2 < 5 << 20 })
        expectAll(counted, made.transcript)
    }
}
