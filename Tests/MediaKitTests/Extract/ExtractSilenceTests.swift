import ByteIO
import MediaKit
import TestSupport
import Testing

@Suite struct ExtractSilenceTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test(arguments: ["out.wav", "out.flac"])
    func `silence at both ends is cut off but for a tenth of a second`(name: String) async throws {
        let input = try bench.put(bursts([1.5...2.2, 3.0...4.0], seconds: 6))
        let result = try await bench.extract(input, to: name) { $0.trimSilence = true }
        let made = try bench.sound(name)
        let span = try #require(soundSpan(made))
        // The silence within stays: 1.5 to 4.0 s of the input.
        #expect(abs((span.upperBound - span.lowerBound) - 2.5) < 0.02)
        #expect(span.lowerBound > 0.05 && span.lowerBound < 0.11)
        let length = Double(made.samples[0].count) / Double(made.sampleRate)
        #expect(length - span.upperBound > 0.05 && length - span.upperBound < 0.115)
        #expect(abs(result.outputs[0].start - 1.4) < 0.011 && abs(result.duration - length) < 0.0001)
        // The result's start is where its first sample lies in the input.
        let source = try bench.sound("in.mkv").samples[0]
        let first = Int((result.outputs[0].start * 16_000).rounded())
        #expect(difference(made.samples[0], Array(source[first..<first + made.samples[0].count])) == 0)
    }

    @Test func `sound without silence at its ends keeps all of it`() async throws {
        let input = try bench.put(bursts([0...4], seconds: 3.0063125))
        let result = try await bench.extract(input, to: "out.wav") { $0.trimSilence = true }
        #expect(result.outputs[0].start == 0 && abs(result.duration - 3.0063125) < 1e-5)
    }

    @Test func `silence in a part is told from the part's own ends`() async throws {
        let input = try bench.put(bursts([0...0.5, 2...3, 5...6], seconds: 6))
        let result = try await bench.extract(input, to: "out.wav") {
            $0.trimSilence = true
            ($0.start, $0.end) = (1, 4)
        }
        #expect(abs(result.outputs[0].start - 1.9) < 0.011 && abs(result.duration - 1.2) < 0.021)
    }

    @Test func `what counts as silence can be set`() async throws {
        let quiet = TestClip(audio: [
            // -50 dB for two seconds, then a louder tone.
            .init(seconds: 3, sampleRate: 16_000) { time, _ in
                TestClip.tones(time, 0) * (time < 2 ? 0.0179 : 1)
            }
        ])
        let input = try bench.put(quiet)
        let usual = try await bench.extract(input, to: "usual.wav") { $0.trimSilence = true }
        #expect(abs(usual.outputs[0].start - 1.9) < 0.02)
        let fine = try await bench.extract(input, to: "fine.wav") {
            $0.trimSilence = true
            $0.silence.threshold = -60
        }
        #expect(fine.outputs[0].start == 0)
    }

    @Test func `sound that is silent from end to end is an error that leaves nothing`() async throws {
        let input = try bench.put(bursts([], seconds: 2))
        let error = await mediaError { try await bench.extract(input, to: "out.wav") { $0.trimSilence = true } }
        #expect(error?.code == .badInput && error?.hint != nil)
        #expect(bench.scratch.names == ["in.mkv"])
        // Splitting it is no problem.
        let result = try await bench.extract(input, to: "out.wav") { $0.splitAtSilence = 1 }
        #expect(result.outputs.count >= 2 && result.duration == 2)
    }

    // MARK: Splitting

    @Test(arguments: ["wav", "flac"])
    func `chunks are cut in silences, and together are the whole, sample for sample`(ending: String) async throws {
        let spans = [0.2...2.0, 2.6...5.0, 5.4...6.1, 7.0...9.3, 10.0...11.5]
        // Not a whole number of the steps in which silence is looked for.
        let input = try bench.put(bursts(spans, seconds: 12.0063125))
        let result = try await bench.extract(input, to: "part-{n}.\(ending)") { $0.splitAtSilence = 4 }
        #expect(result.outputs.count >= 3)
        let names = (1...result.outputs.count).map { "part-00\($0).\(ending)" }
        #expect(result.outputs.map(\.output) == names.map { bench.scratch($0) })
        #expect(bench.scratch.names == (["in.mkv"] + names).sorted())
        var joined: [Float] = []
        for (name, output) in zip(names, result.outputs) {
            let made = try bench.sound(name)
            #expect(output.duration <= 4)
            // Exact offsets: the first sample is the input's sample at `start`.
            #expect(abs(output.start * 16_000 - Double(joined.count)) < 0.01)
            #expect(abs(output.duration * 16_000 - Double(made.samples[0].count)) < 0.01)
            #expect(output.bytes == Int64(bench.scratch.bytes(name).count))
            joined += made.samples[0]
        }
        #expect(difference(joined, try bench.sound("in.mkv").samples[0]) == 0)
        for cut in result.outputs.dropFirst().map(\.start) {
            #expect(!spans.contains { $0.contains(cut) }, "cut at \(cut) s, in the sound")
        }
        #expect(abs(result.duration - 12.0063125) < 0.0001)
    }

    @Test func `sound without silence is cut all the same, so that no chunk is too long`() async throws {
        let input = try bench.put(bursts([0...7], seconds: 7))
        let result = try await bench.extract(input, to: "a.wav") { $0.splitAtSilence = 3 }
        #expect(result.outputs.count >= 3 && result.outputs.allSatisfy { $0.duration <= 3 })
        #expect(bench.scratch.names.contains("a-001.wav"))
        let joined = try result.outputs.indices.flatMap { try bench.sound("a-00\($0 + 1).wav").samples[0] }
        #expect(difference(joined, try bench.sound("in.mkv").samples[0]) == 0)
    }

    @Test func `sound shorter than a chunk is one chunk`() async throws {
        let input = try bench.put(bursts([0...1], seconds: 2))
        let result = try await bench.extract(input, to: "a-{n}.wav") { $0.splitAtSilence = 10 }
        #expect(result.outputs.map(\.output) == [bench.scratch("a-001.wav")] && result.duration == 2)
    }

    @Test func `chunks of trimmed speech begin and end with the sound`() async throws {
        let input = try bench.put(bursts([1...2.5, 3...4.5, 5...6.5], seconds: 9, sampleRate: 44_100))
        let result = try await bench.extract(input, to: "a-{n}.wav") {
            $0.preset = .speech
            $0.trimSilence = true
            $0.splitAtSilence = 2.5
        }
        #expect(result.sampleRate == 16_000 && result.outputs.count == 3)
        let first = try #require(result.outputs.first), last = try #require(result.outputs.last)
        #expect(abs(first.start - 0.9) < 0.011 && abs(last.start + last.duration - 6.6) < 0.011)
        for (output, next) in zip(result.outputs, result.outputs.dropFirst()) {
            #expect(abs(output.start + output.duration - next.start) < 1e-4)
        }
    }

    @Test func `chunks of compressed sound hold what the whole holds there`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 5))
        let result = try await bench.extract(movie, to: "a-{n}.m4a") { $0.splitAtSilence = 2 }
        #expect(result.outputs.count >= 3 && result.codec == "aac")
        for (index, output) in result.outputs.enumerated() {
            let made = try bench.sound("a-00\(index + 1).m4a")
            let middle = output.start + output.duration / 2
            let here = output.duration / 2
            let frequency = TestClip.frequency(second: Int(middle))
            let part = made.sound(max(0, here - 0.1)...here + 0.1)
            // A tone changes on the whole second.
            if abs(middle - middle.rounded()) > 0.15 {
                #expect(share(of: frequency, in: part, rate: made.sampleRate) > 0.9, "chunk \(index)")
            }
        }
    }

    @Test func `a failed split leaves no chunk`() async throws {
        let input = try bench.put(bursts([0...7], seconds: 7))
        try bench.scratch.put("a-002.wav", [7])
        let error = await mediaError { try await bench.extract(input, to: "a-{n}.wav") { $0.splitAtSilence = 3 } }
        #expect(error?.code == .cannotCreate)
        #expect(bench.scratch.names == ["a-002.wav", "in.mkv"] && bench.scratch.bytes("a-002.wav") == [7])
    }

    @Test func `chunks that cannot all be published are not published at all`() async throws {
        let input = try bench.put(bursts([0...7], seconds: 7))
        let error = await mediaError {
            var request = ExtractAudio(input: input, output: bench.scratch("a-{n}.wav"))
            request.splitAtSilence = 3
            _ = try await MediaEngine(resolver: SecondSinkFails(second: bench.scratch("a-002.wav"))).run(request)
        }
        #expect(error?.code == .io && error?.input == "a chunk that cannot be published")
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test func `splits that make no sense are refused`() async throws {
        let changes: [(inout ExtractAudio) -> Void] = [
            { $0.splitAtSilence = 0.2 }, { $0.splitAtSilence = .infinity },
            {
                $0.output = "-"; $0.container = .wav; $0.splitAtSilence = 5
            },
            {
                $0.splitAtSilence = 5; $0.audio.codec = .copy
            },
            {
                $0.trimSilence = true; $0.silence.threshold = 3
            },
        ]
        for change in changes {
            let error = await mediaError { try await bench.extract("/nonexistent.mp4", to: "a.m4a", change) }
            #expect(error?.code == .badRequest)
        }
    }
}

/// Local files, but for one whose sink refuses to become visible at the last moment.
private struct SecondSinkFails: MediaResolver {
    var second: String

    func source(for location: String) throws -> any ByteSource { try LocalResolver().source(for: location) }

    func sink(for location: String, overwrite: Bool) throws -> any ByteSink {
        guard location == second else { return try LocalResolver().sink(for: location, overwrite: overwrite) }
        return Refusing()
    }

    private final class Refusing: ByteSink {
        let name = "a chunk that cannot be published"
        let rewritableHead = Int64.max
        func write(_ bytes: UnsafeRawBufferPointer) throws {}
        func rewrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {}
        func finish() throws { throw ByteIOError(.io, "the device is gone") }
        func abort() {}
    }
}
