import ByteIO
import CAVShim
import Glibc
import MediaKit
import Synchronization
import TestSupport
import Testing

@Suite struct ExtractAudioTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test(arguments: [
        ("out.wav", "pcm_s16le"), ("out.flac", "flac"), ("out.mp3", "mp3"), ("out.m4a", "aac"), ("out.opus", "opus"),
        ("out.ogg", "opus"), ("out.mka", "aac"),
    ])
    func `each format holds the sound, in time and in tune`(name: String, codec: String) async throws {
        let input = try bench.put(.ordinary(seconds: 3, channels: 2))
        let result = try await bench.extract(input, to: name) {
            // Left to itself Matroska would copy the PCM.
            if name.hasSuffix("mka") { $0.audio.codec = .aac }
        }
        // PCM is copied into a WAV file.
        #expect(result.codec == codec && result.copied == (codec == "pcm_s16le") && result.channels == 2)
        #expect(result.outputs.count == 1 && result.outputs[0].start == 0)
        #expect(Int64(bench.scratch.bytes(name).count) == result.outputs[0].bytes)
        let audio = try bench.sound(name)
        #expect(audio.codec == codec && audio.channels == 2 && audio.sampleRate == result.sampleRate)
        #expect(abs(result.duration - 3) < 0.06)
        // Of lossy formats some decoders leave the padding on.
        #expect(abs(Double(audio.samples[0].count) / Double(audio.sampleRate) - 3) < 0.06)
        for second in 0..<3 {
            for channel in 0..<2 {
                let part = audio.sound(Double(second) + 0.1...Double(second) + 0.9, channel: channel)
                let frequency = TestClip.frequency(second: second, channel: channel)
                #expect(share(of: frequency, in: part, rate: audio.sampleRate) > 0.9, "\(name) \(second) \(channel)")
            }
        }
        #expect(bench.scratch.names == ["in.mkv", name].sorted())
    }

    @Test func `uncompressed sound comes out sample for sample`() async throws {
        let input = try bench.put(.ordinary(seconds: 1, channels: 2))
        let source = try bench.sound("in.mkv")
        for name in ["out.wav", "out.flac"] {
            try await bench.extract(input, to: name)
            let made = try bench.sound(name)
            for channel in 0..<2 { #expect(difference(made.samples[channel], source.samples[channel]) == 0, "\(name)") }
        }
    }

    @Test func `the speech preset gives 16 kHz mono, and what is set besides has precedence`() async throws {
        let input = try bench.put(.ordinary(seconds: 2, channels: 2))
        let result = try await bench.extract(input, to: "speech.wav") { $0.preset = .speech }
        #expect(result.sampleRate == 16_000 && result.channels == 1)
        let speech = try bench.sound("speech.wav")
        #expect(speech.sampleRate == 16_000 && speech.channels == 1 && speech.samples[0].count == 32_000)
        #expect(speech.codec == "pcm_s16le")
        let other = try await bench.extract(input, to: "other.flac") {
            $0.preset = .speech
            $0.audio.sampleRate = 8_000
        }
        #expect(other.sampleRate == 8_000 && other.channels == 1)
    }

    @Test func `a change of rate keeps the length to the sample and the pitch`() async throws {
        let input = try bench.put(.ordinary(seconds: 2))
        for rate in [8_000, 22_050, 44_100, 96_000] {
            try await bench.extract(input, to: "out.wav") {
                $0.audio.sampleRate = rate
                $0.overwrite = true
            }
            let made = try bench.sound("out.wav")
            #expect(made.sampleRate == rate && abs(made.samples[0].count - 2 * rate) <= 1, "\(rate) Hz")
            #expect(share(of: 500, in: made.sound(1.1...1.9), rate: rate) > 0.98, "\(rate) Hz")
        }
    }

    // MARK: Down-mix

    /// 5.1 in Matroska's order: front left and right, centre, low frequencies, back left and right.
    private func surround(_ level: Double, only channel: Int? = nil) -> TestClip {
        TestClip(audio: [
            .init(seconds: 1, sampleRate: 48_000, channels: 6) { time, index in
                channel.map { $0 == index } ?? true ? level * sin(2 * .pi * (300 + 200 * Double(index)) * time) : 0
            }
        ])
    }

    @Test func `a down-mix of 5.1 holds front, centre and back at sane levels`() async throws {
        for channels in [1, 2] {
            let input = try bench.put(surround(0.3))
            try await bench.extract(input, to: "mix.wav") {
                $0.audio.channels = channels
                $0.overwrite = true
            }
            let made = try bench.sound("mix.wav")
            #expect(made.channels == channels)
            for channel in 0..<channels {
                let part = made.sound(0.1...0.9, channel: channel)
                let all = (0..<6).map { share(of: 300 + 200 * Double($0), in: part, rate: 48_000) }
                // Mono has both fronts; of stereo each side has its own.
                if channels == 1 || channel == 0 { #expect(all[0] > 0.05) }
                if channels == 1 || channel == 1 { #expect(all[1] > 0.05) }
                if channels == 2 { #expect(all[1 - channel] < 0.001) }
                #expect(all[2] > 0.05, "the centre, where speech is")
                #expect(rms(part) > 0.05 && part.allSatisfy { abs($0) < 1 })
            }
        }
    }

    @Test func `the loudest 5.1 does not clip when it is mixed down`() async throws {
        let loud = TestClip(audio: [
            .init(seconds: 1, channels: 6) { time, _ in 0.98 * sin(2 * .pi * 440 * time) }
        ])
        let input = try bench.put(loud)
        for channels in [1, 2] {
            try await bench.extract(input, to: "mix.wav") {
                $0.audio.channels = channels
                $0.overwrite = true
            }
            let made = try bench.sound("mix.wav")
            let part = made.sound(0.1...0.9)
            // Clipping would show as harmonics.
            #expect(share(of: 440, in: part, rate: 48_000) > 0.999)
            #expect(rms(part) > 0.5)
        }
    }

    @Test func `the centre alone is in the middle, and the front left on the left`() async throws {
        try await bench.extract(try bench.put(surround(0.5, only: 2)), to: "centre.wav") { $0.audio.channels = 2 }
        let centre = try bench.sound("centre.wav")
        #expect(abs(rms(centre.sound(0...1, channel: 0)) - rms(centre.sound(0...1, channel: 1))) < 0.001)
        #expect(rms(centre.sound(0...1)) > 0.05)
        try await bench.extract(try bench.put(surround(0.5, only: 0)), to: "left.wav") { $0.audio.channels = 2 }
        let left = try bench.sound("left.wav")
        #expect(rms(left.sound(0...1, channel: 0)) > 0.1 && rms(left.sound(0...1, channel: 1)) < 0.001)
    }

    @Test func `mono into stereo is on both sides, as loud as before`() async throws {
        try await bench.extract(try bench.put(.ordinary(seconds: 1)), to: "out.wav") { $0.audio.channels = 2 }
        let made = try bench.sound("out.wav")
        #expect(made.samples[0] == made.samples[1])
        let level = rms(made.sound(0...1))
        let source = rms(try bench.sound("in.mkv").sound(0...1))
        // At most 3 dB less, as the mixing law has it.
        #expect(level > source * 0.7 && level < source * 1.01)
    }

    // MARK: Choice, trim, gain

    @Test func `a track is chosen by number, else as a player would`() async throws {
        func tone(_ frequency: Double, channels: Int = 1, isDefault: Bool) -> TestClip.Audio {
            var audio = TestClip.Audio(seconds: 1, channels: channels) { time, _ in
                0.25 * sin(2 * .pi * frequency * time)
            }
            audio.isDefault = isDefault
            return audio
        }
        let input = try bench.put(
            TestClip(audio: [
                tone(400, isDefault: false), tone(700, isDefault: true), tone(1000, channels: 2, isDefault: false),
            ]))
        for (track, frequency) in [(0, 400.0), (1, 700), (2, 1000), (nil, 700)] as [(Int?, Double)] {
            try await bench.extract(input, to: "out.wav") {
                $0.track = track
                $0.overwrite = true
            }
            let made = try bench.sound("out.wav")
            #expect(share(of: frequency, in: made.sound(0...1), rate: made.sampleRate) > 0.98)
        }
        let error = await mediaError { try await bench.extract(input, to: "none.wav") { $0.track = 3 } }
        #expect(error?.code == .notFound && !bench.scratch.names.contains("none.wav"))
    }

    @Test func `a part is exact to the sample`() async throws {
        // A ramp whose value tells the sample's number.
        let clip = TestClip(audio: [
            .init(seconds: 2, sampleRate: 8_000) { time, _ in (time * 8_000).rounded() / 32_767 }
        ])
        let input = try bench.put(clip)
        let result = try await bench.extract(input, to: "out.wav") {
            $0.start = 0.4321
            $0.end = 1.2345
        }
        let samples = try bench.sound("out.wav").samples[0].map { Int(($0 * 32_768).rounded()) }
        #expect(abs(result.outputs[0].start - 0.4321) < 1e-6 && abs(result.duration - 0.8024) < 0.0002)
        let first = try #require(samples.first), last = try #require(samples.last)
        // 0.4321 s is sample 3456.8, 1.2345 s is sample 9876.
        #expect((3456...3457).contains(first) && (9875...9876).contains(last))
        #expect(samples == Array(first...last))
    }

    @Test func `a part of compressed sound is that part of the whole`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 4))
        try await bench.extract(movie, to: "whole.wav") { $0.audio.codec = .pcm }
        try await bench.extract(movie, to: "part.wav") {
            $0.start = 1.5
            $0.end = 3
        }
        let whole = try bench.sound("whole.wav").samples[0], part = try bench.sound("part.wav").samples[0]
        #expect(part.count == 72_000)
        #expect(difference(part, Array(whole[72_000..<144_000])) < 0.001)
    }

    @Test func `gain is in decibels`() async throws {
        let input = try bench.put(.ordinary(seconds: 1))
        let before = rms(try bench.sound("in.mkv").sound(0...1))
        for gain in [-6.0, 6] {
            try await bench.extract(input, to: "out.wav") {
                $0.audio.gain = gain
                $0.overwrite = true
            }
            let after = rms(try bench.sound("out.wav").sound(0...1))
            #expect(abs(20 * log10(after / before) - gain) < 0.05)
        }
    }

    @Test func `sound that starts late has silence first where a format keeps no times`() async throws {
        var clip = TestClip.ordinary(seconds: 3)
        clip.audio = [.init(seconds: 2, start: 1000)]
        let input = try bench.put(clip)
        for name in ["out.wav", "out.flac"] {
            let result = try await bench.extract(input, to: name)
            let made = try bench.sound(name)
            #expect(abs(Double(made.samples[0].count) / 48_000 - 3) < 0.001 && abs(result.duration - 3) < 0.001)
            #expect(rms(made.sound(0...0.99)) < 1e-6)
            // Its own first second, 400 Hz.
            #expect(share(of: 400, in: made.sound(1.05...1.95), rate: 48_000) > 0.98)
        }
    }

    // MARK: Copying

    @Test func `sound is copied where the container takes it and nothing else is asked`() async throws {
        let movie = try await bench.movie(.ordinary(seconds: 2))
        let result = try await bench.extract(movie, to: "out.m4a")
        #expect(result.copied && result.codec == "aac")
        #expect(
            packets(of: AVMEDIA_TYPE_AUDIO, in: bench.scratch("out.m4a")) == packets(of: AVMEDIA_TYPE_AUDIO, in: movie))
        #expect(try await bench.probe(bench.scratch("out.m4a")).streams.map(\.kind) == ["audio"])
        let louder = try await bench.extract(movie, to: "louder.m4a") { $0.audio.gain = 3 }
        #expect(!louder.copied)
        let refused = await mediaError { try await bench.extract(movie, to: "no.wav") { $0.audio.codec = .copy } }
        #expect(refused?.code == .unsupported && !bench.scratch.names.contains("no.wav"))
    }

    // MARK: Where it comes from and goes to

    @Test func `memory and pipes are as good as files`() async throws {
        let clip = TestClip.ordinary(seconds: 1)
        let sink = MemorySink()
        let memory = MediaEngine(
            resolver: BoundResolver(sources: ["in": MemorySource(clip.bytes)], sinks: ["out": sink]))
        let result = try await memory.run(ExtractAudio(input: "in", output: "out", container: .wav))
        let written = try #require(sink.bytes)
        #expect(result.duration == 1 && Int64(written.count) == result.outputs[0].bytes)
        try bench.scratch.put("memory.wav", written)

        let pipe = MediaEngine(resolver: BoundResolver(sources: ["pipe": ForwardSource(clip.bytes)]))
        _ = try await pipe.run(ExtractAudio(input: "pipe", output: bench.scratch("pipe.wav")))
        try await bench.extract(try bench.put(clip), to: "file.wav")
        let file = try bench.sound("file.wav").samples[0]
        #expect(file.count == 48_000)
        #expect(try bench.sound("pipe.wav").samples[0] == file && bench.sound("memory.wav").samples[0] == file)
    }

    @Test func `silences cannot be looked for in a pipe, which is said`() async throws {
        let engine = MediaEngine(
            resolver: BoundResolver(sources: ["pipe": ForwardSource(TestClip.ordinary(seconds: 1).bytes)]))
        let error = await mediaError {
            _ = try await engine.run(ExtractAudio(input: "pipe", output: bench.scratch("a.wav"), trimSilence: true))
        }
        #expect(error?.code == .unsupported && bench.scratch.names.isEmpty)
    }

    @Test func `an input without sound is an error that leaves nothing`() async throws {
        let input = try bench.put(TestClip(video: .init(frames: 5)))
        for name in ["out.wav", "out.m4a"] {
            let error = await mediaError { try await bench.extract(input, to: name) }
            #expect(error?.code == .badInput, "\(name): \(String(describing: error))")
        }
        #expect(bench.scratch.names == ["in.mkv"])
    }

    @Test func `what is there is only replaced when that is asked`() async throws {
        let input = try bench.put(.ordinary(seconds: 1))
        try bench.scratch.put("out.wav", [1, 2, 3])
        let error = await mediaError { try await bench.extract(input, to: "out.wav") }
        #expect(error?.code == .cannotCreate && bench.scratch.bytes("out.wav") == [1, 2, 3])
        try await bench.extract(input, to: "out.wav") { $0.overwrite = true }
        #expect(bench.scratch.bytes("out.wav").count > 90_000)
    }
}

/// Bytes that can only be read from front to back, as from a pipe.
final class ForwardSource: ByteSource {
    let name = "pipe"
    var length: Int64? { nil }
    var isSeekable: Bool { false }
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let rest = bytes[min(Int(offset), bytes.count)...].prefix(min(buffer.count, 4096))
        buffer.copyBytes(from: rest)
        return rest.count
    }
}

/// A file that counts what is read of it.
final class CountingSource: ByteSource {
    private let file: FileSource
    private let count = Atomic<Int64>(0)

    init(path: String) throws { file = try FileSource(path: path) }

    var name: String { file.name }
    var length: Int64? { file.length }
    var isSeekable: Bool { file.isSeekable }
    var bytesRead: Int64 { count.load(ordering: .relaxed) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let read = try file.read(into: buffer, at: offset)
        count.add(Int64(read), ordering: .relaxed)
        return read
    }
}
