import ByteIO
import MediaKit

/// How a chunk is sent to a service.
public enum SpeechFileFormat: String, Codable, Sendable, CaseIterable {
    /// Opus in Ogg: a tenth of the bytes, at no cost in recognition.
    case opus
    case mp3
    /// Without loss.
    case flac
    /// 16 bit PCM: for servers that decode nothing else.
    case wav

    /// Bytes of a second at 16 kHz, at most.
    var bytesPerSecond: Double {
        switch self {
        case .opus: 6_000
        case .mp3: 9_000
        // Noise does not shrink.
        case .flac: 33_000
        case .wav: 32_000
        }
    }

    /// The services' limit is 25 MiB, with the form around the file.
    static let largestFile = 24 << 20

    /// Seconds of which no file is larger than ``largestFile``.
    var longest: Double { Double(Self.largestFile - 4096) / bytesPerSecond }

    var contentType: String {
        switch self {
        case .opus: "audio/ogg"
        case .mp3: "audio/mpeg"
        case .flac: "audio/flac"
        case .wav: "audio/wav"
        }
    }

    /// The ending that services go by.
    var ending: String { self == .opus ? "ogg" : rawValue }
}

/// A chunk as a file in memory. Its second 0 is the chunk's first sample, by what the format says of its encoder's delay.
struct SpeechFile: Sendable {
    var bytes: [UInt8]
    var format: SpeechFileFormat

    /// - Throws: ``MediaError``.
    init(_ chunk: SpeechChunk, as format: SpeechFileFormat) async throws {
        self.format = format
        let wave = Self.wave(chunk)
        guard format != .wav else {
            bytes = wave
            return
        }
        let (source, output) = ("chunk.wav", "chunk.\(format.ending)")
        let sink = MemorySink(name: output)
        let engine = MediaEngine(
            resolver: BoundResolver(sources: [source: MemorySource(wave, name: source)], sinks: [output: sink]))
        var audio = AudioSettings(codec: .opus, bitRate: 32_000)
        switch format {
        case .mp3: audio = AudioSettings(codec: .mp3, bitRate: 64_000)
        case .flac: audio = AudioSettings(codec: .flac)
        case .opus, .wav: break
        }
        _ = try await engine.run(ExtractAudio(input: source, output: output, audio: audio, threads: 1))
        guard let bytes = sink.bytes else {
            throw MediaError(.internal, "the encoder made nothing", input: output)
        }
        self.bytes = bytes
    }

    /// RIFF, as Microsoft and IBM specified it in 1991.
    static func wave(_ chunk: SpeechChunk) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(44 + chunk.samples.count * 2)
        func put(_ text: String) { bytes += Array(text.utf8) }
        func put<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
        }
        let length = UInt32(chunk.samples.count * 2)
        let rate = UInt32(chunk.sampleRate)
        put("RIFF")
        put(length + 36)
        put("WAVEfmt ")
        put(UInt32(16))
        // PCM, one channel, 16 bit.
        put(UInt16(1))
        put(UInt16(1))
        put(rate)
        put(rate * 2)
        put(UInt16(2))
        put(UInt16(16))
        put("data")
        put(length)
        // All at once: there are millions of them, and every machine that this runs on has the low byte first.
        chunk.samples.withUnsafeBytes { bytes += $0 }
        return bytes
    }
}
