import Foundation
import MediaKit
import Synchronization
import TestSupport
import Testing

@Suite struct SoundReaderTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    private final class Collected: Sendable {
        let state = Mutex(State())

        struct State {
            var start: Int64?
            var samples: [[Int16]] = []
            var hasGap = false
            var blocks = 0
        }

        func add(_ block: SoundBlock) {
            state.withLock { state in
                let start = state.start ?? block.start
                state.start = start
                state.blocks += 1
                if state.samples.isEmpty { state.samples = Array(repeating: [], count: block.samples.count) }
                if block.start != start + Int64(state.samples[0].count) { state.hasGap = true }
                for channel in block.samples.indices { state.samples[channel] += block.samples[channel] }
            }
        }
    }

    /// All samples by channel, after it was seen that blocks follow each other.
    private func read(_ request: SoundRequest) async throws -> (start: Int64, samples: [[Int16]], facts: SoundFacts) {
        let collected = Collected()
        let facts = try await bench.engine.readSound(request) { collected.add($0) }
        let state = collected.state.withLock { $0 }
        #expect(!state.hasGap)
        return (state.start ?? -1, state.samples, facts)
    }

    /// Seconds of the first and last sample louder than a hundredth of the range.
    private func loudSpan(_ samples: [Int16], rate: Double = 16_000) -> ClosedRange<Double>? {
        guard let first = samples.firstIndex(where: { abs(Int($0)) > 327 }),
            let last = samples.lastIndex(where: { abs(Int($0)) > 327 })
        else { return nil }
        return Double(first) / rate...Double(last) / rate
    }

    @Test func `samples are those of the input, and blocks follow each other`() async throws {
        let input = try bench.put(bursts([1...2], seconds: 3))
        let sound = try await read(SoundRequest(input: input))
        #expect(sound.start == 0 && sound.samples.count == 1 && sound.samples[0].count == 48_000)
        #expect(sound.facts.sampleCount == 48_000 && sound.facts.sampleRate == 16_000 && sound.facts.channels == 1)
        let span = try #require(loudSpan(sound.samples[0]))
        #expect(abs(span.lowerBound - 1) < 0.001 && abs(span.upperBound - 2) < 0.001)
    }

    @Test func `sound that begins after the picture keeps its place`() async throws {
        let clip = TestClip(
            video: .init(frames: 75), audio: [.init(seconds: 2, start: 700) { _, _ in 0.25 }])
        let sound = try await read(SoundRequest(input: try bench.put(clip)))
        let span = try #require(loudSpan(sound.samples[0]))
        #expect(sound.start == 0 && abs(span.lowerBound - 0.7) < 0.005)
    }

    @Test(arguments: ["m4a", "mp3", "ogg", "flac", "mka"]) func `an encoder's delay is not heard as one`(
        ending: String
    ) async throws {
        let input = try bench.put(bursts([1...2], seconds: 3, sampleRate: 48_000))
        try await bench.extract(input, to: "delayed.\(ending)") {
            if ending == "mka" { $0.audio.codec = .aac }
        }
        let sound = try await read(SoundRequest(input: bench.scratch("delayed.\(ending)")))
        let span = try #require(loudSpan(sound.samples[0]))
        #expect(abs(span.lowerBound - 1) < 0.02 && abs(span.upperBound - 2) < 0.02, "\(span)")
    }

    @Test(arguments: [500..<1500, 700..<760])
    func `what is missing amid a stream is silent, and what follows is in time`(
        missing: Range<Int>
    ) async throws {
        var clip = bursts([0.2...0.3, 2...2.5], seconds: 3)
        clip.audio[0].missing = missing
        let sound = try await read(SoundRequest(input: try bench.put(clip)))
        #expect(abs(sound.samples[0].count - 48_000) < 32)
        let span = try #require(loudSpan(sound.samples[0]))
        #expect(abs(span.lowerBound - 0.2) < 0.002 && abs(span.upperBound - 2.5) < 0.002, "\(span)")
        let second = try #require(loudSpan(Array(sound.samples[0][16_000...])))
        #expect(abs(second.lowerBound - 1) < 0.002, "\(second)")
    }

    @Test(arguments: [false, true])
    func `an edit list that trims moves all that is heard`(hasPictures: Bool) async throws {
        var clip = bursts([1...2], seconds: 3, sampleRate: 48_000)
        let name: String
        if hasPictures {
            clip.video = .init(frames: 75)
            name = try await bench.movie(clip)
        } else {
            try await bench.extract(try bench.put(clip), to: "trimmed.m4a")
            name = bench.scratch("trimmed.m4a")
        }
        let before = try #require(loudSpan(try await read(SoundRequest(input: name)).samples[0]))
        #expect(abs(before.lowerBound - 1) < 0.02 && abs(before.upperBound - 2) < 0.02, "\(before)")
        // Half a second less at the beginning, and all behind 1.2 s of what is left.
        var bytes = try [UInt8](Data(contentsOf: URL(filePath: name)))
        try trimSound(of: &bytes, by: 24_000, length: 1200)
        let trimmed = try bench.put(bytes, as: "edited.mp4")
        let sound = try await read(SoundRequest(input: trimmed))
        let span = try #require(loudSpan(sound.samples[0]))
        #expect(abs(span.lowerBound - 0.5) < 0.02 && abs(span.upperBound - 1.2) < 0.05, "\(span)")
        let part = try await read(SoundRequest(input: trimmed, start: 0.25))
        #expect(part.start == 4000)
        #expect(abs(try #require(loudSpan(part.samples[0])).lowerBound - 0.25) < 0.02)
    }

    /// Changes the edit of a movie's sound: where it begins, in samples, and milliseconds that it lasts.
    private func trimSound(of bytes: inout [UInt8], by samples: Int, length: Int) throws {
        let data = Data(bytes)
        let edits = data.ranges(of: Data("elst".utf8)).map(\.upperBound)
        let place = try #require(
            edits.first { edit in
                let sound = data[edit...].firstRange(of: Data("soun".utf8))?.lowerBound ?? .max
                let pictures = data[edit...].firstRange(of: Data("vide".utf8))?.lowerBound ?? .max
                return sound < pictures
            })
        func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        func put(_ value: Int, _ at: Int) {
            for index in 0..<4 { bytes[at + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index)) }
        }
        // Version 0, one entry: its length by the movie's clock, and where it begins by the track's.
        try #require(number(place) == 0 && number(place + 4) == 1)
        put(length, place + 8)
        put(number(place + 12) + samples, place + 12)
    }

    @Test func `a part begins at its second, to the sample`() async throws {
        let input = try bench.put(.ordinary(seconds: 4))
        let whole = try await read(SoundRequest(input: input))
        let part = try await read(SoundRequest(input: input, start: 1.5, end: 2.75))
        #expect(part.start == 24_000 && part.samples[0].count == 20_000)
        // The resampler starts anew: its first moments differ.
        for index in 200..<19_800 {
            #expect(abs(Int(part.samples[0][index]) - Int(whole.samples[0][24_000 + index])) < 400)
        }
    }

    @Test func `channels come apart or mixed`() async throws {
        let clip = TestClip(audio: [
            .init(seconds: 1, sampleRate: 16_000, channels: 2) { _, channel in channel == 0 ? 0.5 : -0.25 }
        ])
        let input = try bench.put(clip)
        let apart = try await read(SoundRequest(input: input, isMono: false))
        #expect(apart.samples.count == 2 && apart.facts.channels == 2)
        #expect(abs(Int(apart.samples[0][8000]) - 16_384) < 10 && abs(Int(apart.samples[1][8000]) + 8192) < 10)
        let mixed = try await read(SoundRequest(input: input))
        #expect(mixed.samples.count == 1 && abs(Int(mixed.samples[0][8000]) - 4096) < 10)
    }

    private struct Enough: Error {}

    @Test func `what the taker throws ends the reading, and is told`() async throws {
        let input = try bench.put(.ordinary(seconds: 20))
        let collected = Collected()
        let error = await mediaError {
            try await bench.engine.readSound(SoundRequest(input: input)) { block in
                collected.add(block)
                throw Enough()
            }
        }
        #expect(error?.cause is Enough && collected.state.withLock { $0.blocks } == 1)
        let own = await mediaError {
            try await bench.engine.readSound(SoundRequest(input: input)) { _ in
                throw MediaError(.resourceLimit, "full")
            }
        }
        #expect(own?.code == .resourceLimit && own?.message == "full" && own?.operation == "read_sound")
    }

    @Test func `a cancel ends it`() async throws {
        let input = try bench.put(.ordinary(seconds: 20))
        let engine = bench.engine
        let task = Task {
            try await engine.readSound(SoundRequest(input: input)) { _ in }
        }
        task.cancel()
        let error = await mediaError { _ = try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `an input without sound is refused`() async throws {
        let input = try bench.put(TestClip(video: .init(frames: 5)))
        let error = await mediaError { try await bench.engine.readSound(SoundRequest(input: input)) { _ in } }
        #expect(error?.code == .badInput)
        for request in [
            SoundRequest(input: input, sampleRate: 100), SoundRequest(input: input, start: -1),
            SoundRequest(input: input, start: 3, end: 2), SoundRequest(input: input, start: .nan),
            SoundRequest(input: input, start: 1e15), SoundRequest(input: input, end: 1e300),
        ] {
            let error = await mediaError { try await bench.engine.readSound(request) { _ in } }
            #expect(error?.code == .badRequest)
        }
    }
}
