import MediaKit
import ProviderTestSupport
import Testing

@testable import Providers

@Suite struct SpeechChunkerTests {
    private func chunks(_ samples: [Int16], _ cutting: SpeechCutting, start: Int64 = 0) -> [SpeechChunk] {
        var chunker = SpeechChunker(cutting)
        var chunks: [SpeechChunk] = []
        var position = 0
        while position < samples.count {
            let count = min(1500, samples.count - position)
            chunks += chunker.append(Array(samples[position..<position + count]), start: start + Int64(position))
            position += count
        }
        return chunks + chunker.finish()
    }

    @Test(arguments: [0.9, 0]) func `each word is whole in a chunk, and chunks are what the source has there`(
        pause: Double
    ) {
        let noise = SpokenNoise(seconds: 150, pause: pause)
        let chunks = self.chunks(noise.samples, SpeechCutting(longest: 30))
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

    @Test func `one utterance at a time: cuts lie in pauses, without an overlap`() {
        let noise = SpokenNoise(seconds: 60)
        let chunks = self.chunks(noise.samples, .utterances)
        #expect(chunks.count > 5)
        for (left, right) in zip(chunks, chunks.dropFirst()) { #expect(left.end <= right.start + 1e-6) }
        for word in noise.words {
            #expect(chunks.filter { $0.start <= word.start && word.end <= $0.end }.count == 1, "\(word)")
        }
    }

    @Test func `silence and faint noise give no chunk`() {
        #expect(chunks([Int16](repeating: 0, count: 16_000 * 100), SpeechCutting(longest: 30)).isEmpty)
        let faint = (0..<16_000 * 40).map { Int16($0 % 3 - 1) }
        #expect(chunks(faint, SpeechCutting(longest: 30)).isEmpty)
    }

    @Test func `long silences are left out, and times stay those of the source`() {
        let noise = SpokenNoise(seconds: 12)
        let silence = [Int16](repeating: 0, count: 16_000 * 90)
        let samples = silence + noise.samples + silence + noise.samples + silence
        let chunks = self.chunks(samples, SpeechCutting())
        #expect(chunks.count == 2)
        #expect(chunks.allSatisfy { $0.duration < 14 })
        #expect(abs(chunks[0].voiced.lowerBound - 90.4) < 0.05)
        #expect(abs(chunks[1].voiced.lowerBound - (90 + 12 + 90 + 0.4)) < 0.05)
    }

    @Test func `a part of a source keeps the source's times`() {
        let noise = SpokenNoise(seconds: 10)
        let chunks = self.chunks(noise.samples, SpeechCutting(), start: 16_000 * 100)
        #expect(chunks.count == 1 && chunks[0].firstSample == 1_600_000)
    }

    @Test(arguments: SpeechFileFormat.allCases) func `a file holds the chunk, in time`(format: SpeechFileFormat)
        async throws
    {
        let noise = SpokenNoise(seconds: 20)
        let chunk = self.chunks(noise.samples, SpeechCutting())[0]
        let file = try await SpeechFile(chunk, as: format)
        #expect(Double(file.bytes.count) < format.bytesPerSecond * chunk.duration + 4096)
        let samples = try await decoded(file.bytes)
        let place = noise.recording.place(of: samples)
        #expect(abs((place ?? 99_999) - Int(chunk.firstSample)) <= 16, "\(format)")
        #expect(abs(samples.count - chunk.samples.count) <= 1600)
    }

    @Test func `two sides of a call are told from stereo`() {
        let left = SpokenNoise(seconds: 60, seed: 2, pause: 4)
        var right = SpokenNoise(seconds: 60, seed: 3, pause: 4).samples
        for word in left.words {
            for index in Int(word.start * 16_000)..<min(right.count, Int(word.end * 16_000)) { right[index] = 0 }
        }
        var call = ChannelDecision(sampleRate: 16_000)
        call.add(left.samples, right)
        call.finish()
        #expect(call.isCall == true)
        var stereo = ChannelDecision(sampleRate: 16_000)
        stereo.add(left.samples, left.samples.map { $0 / 2 })
        stereo.finish()
        #expect(stereo.isCall == false)
        var oneSided = ChannelDecision(sampleRate: 16_000)
        oneSided.add(left.samples, [Int16](repeating: 0, count: left.samples.count))
        oneSided.finish()
        #expect(oneSided.isCall == false)
    }
}
