import MediaKit
import ProviderTestSupport
import Testing
import TransferTestSupport

@testable import Providers

@Suite struct SpeechChunkerTests {
    /// Cut on a thread of its own: it is much to do for code that is not compiled to be fast.
    private func chunks(_ samples: [Int16], _ cutting: SpeechCutting, start: Int64 = 0) async throws -> [SpeechChunk] {
        try await BlockingThread.run {
            var chunker = SpeechChunker(cutting)
            var chunks: [SpeechChunk] = []
            var position = 0
            while position < samples.count {
                let count = min(1500, samples.count - position)
                chunks += chunker.append(
                    Array(samples[position..<position + count]), start: start + Int64(position))
                position += count
            }
            return chunks + chunker.finish()
        }
    }

    @Test(arguments: [0.9, 0]) func `each word is whole in a chunk, and chunks are what the source has there`(
        pause: Double
    ) async throws {
        let noise = try await SpokenNoise.made(seconds: 150, pause: pause)
        let chunks = try await self.chunks(noise.samples, SpeechCutting(longest: 30))
        #expect((5...8).contains(chunks.count))
        for chunk in chunks {
            #expect(chunk.duration <= 30)
            let first = Int(chunk.firstSample)
            #expect(Array(noise.samples[first..<first + chunk.samples.count]) == chunk.samples)
        }
        for word in noise.words {
            #expect(chunks.contains { $0.start <= word.start + 0.03 && word.end - 0.03 <= $0.end }, "\(word)")
        }
        for (left, right) in zip(chunks, chunks.dropFirst()) {
            #expect(right.covers.lowerBound < left.covers.upperBound)
            #expect(left.covers.upperBound - right.covers.lowerBound <= 3.1)
        }
    }

    @Test func `one utterance at a time: cuts lie in pauses, without an overlap`() async throws {
        let noise = try await SpokenNoise.made(seconds: 60)
        let chunks = try await self.chunks(noise.samples, .utterances)
        #expect(chunks.count > 5)
        for (left, right) in zip(chunks, chunks.dropFirst()) { #expect(left.end <= right.start + 1e-6) }
        for word in noise.words {
            #expect(chunks.filter { $0.start <= word.start && word.end <= $0.end }.count == 1, "\(word)")
        }
    }

    @Test func `silence and faint noise give no chunk`() async throws {
        #expect(try await chunks([Int16](repeating: 0, count: 16_000 * 100), SpeechCutting(longest: 30)).isEmpty)
        let faint = (0..<16_000 * 40).map { Int16($0 % 3 - 1) }
        #expect(try await chunks(faint, SpeechCutting(longest: 30)).isEmpty)
    }

    @Test func `long silences are left out, and times stay those of the source`() async throws {
        let noise = try await SpokenNoise.made(seconds: 12)
        let silence = [Int16](repeating: 0, count: 16_000 * 90)
        let samples = silence + noise.samples + silence + noise.samples + silence
        let chunks = try await self.chunks(samples, SpeechCutting())
        #expect(chunks.count == 2)
        #expect(chunks.allSatisfy { $0.duration < 14 })
        #expect(abs(chunks[0].voiced.lowerBound - 90.4) < 0.05)
        #expect(abs(chunks[1].voiced.lowerBound - (90 + 12 + 90 + 0.4)) < 0.05)
    }

    @Test func `a part of a source keeps the source's times`() async throws {
        let noise = try await SpokenNoise.made(seconds: 10)
        let chunks = try await self.chunks(noise.samples, SpeechCutting(), start: 16_000 * 100)
        #expect(chunks.count == 1 && chunks[0].firstSample == 1_600_000)
    }

    @Test(arguments: SpeechFileFormat.allCases) func `a file holds the chunk, in time`(format: SpeechFileFormat)
        async throws
    {
        let noise = try await SpokenNoise.made(seconds: 20)
        let chunk = try await self.chunks(noise.samples, SpeechCutting())[0]
        let file = try await SpeechFile(chunk, as: format)
        #expect(Double(file.bytes.count) < format.bytesPerSecond * chunk.duration + 4096)
        let samples = try await decoded(file.bytes)
        let place = try await BlockingThread.run { noise.recording.place(of: samples) }
        #expect(abs((place ?? 99_999) - Int(chunk.firstSample)) <= 16, "\(format)")
        #expect(abs(samples.count - chunk.samples.count) <= 1600)
    }

    @Test func `two sides of a call are told from stereo`() async throws {
        let left = try await SpokenNoise.made(seconds: 60, seed: 2, pause: 4)
        var right = try await SpokenNoise.made(seconds: 60, seed: 3, pause: 4).samples
        for word in left.words {
            for index in Int(word.start * 16_000)..<min(right.count, Int(word.end * 16_000)) { right[index] = 0 }
        }
        let silence = [Int16](repeating: 0, count: left.samples.count)
        #expect(try await isCall(left.samples, right) == true)
        #expect(try await isCall(left.samples, left.samples.map { $0 / 2 }) == false)
        #expect(try await isCall(left.samples, silence) == false)
    }

    private func isCall(_ left: [Int16], _ right: [Int16]) async throws -> Bool? {
        try await BlockingThread.run {
            var decision = ChannelDecision(sampleRate: 16_000)
            decision.add(left, right)
            decision.finish()
            return decision.isCall
        }
    }
}
