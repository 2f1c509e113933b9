import Foundation
import Locking
import MediaKit
import Providers
import TestSupport
import Testing

/// Real recognition of real speech.
@Suite(.serialized) struct PocketSphinxTests {
    private let transcriber = PocketSphinxTranscriber()

    private static let hasModel = FileManager.default.fileExists(atPath: PocketSphinxModel.usualFolder)

    @Test(.enabled(if: Media.isPresent && hasModel))
    func `Words are found where they are said`() async throws {
        let fractions = Locked<[Double]>([])
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: Media.file("audio/jfk_16k.wav"), language: "en"), media: MediaEngine()
        ) { fraction in fractions.withLock { $0.append(fraction) } }
        let transcript = made.transcript
        #expect(transcript.engine == "pocketsphinx" && transcript.quality == .draft && transcript.language == "en")
        #expect(abs(transcript.duration - 11) < 0.1)
        let said = try String(contentsOfFile: Media.file("audio/jfk.txt"), encoding: .utf8)
        let heard = transcript.segments.map(\.text).joined(separator: " ")
        #expect(WordErrorRate(of: heard, against: said).rate < 0.4, "\(heard)")
        // By the waveform: both begin behind a pause in which it falls by 25 dB and more.
        let words = transcript.words
        for (text, start) in [("not", 4.0), ("what", 5.38)] {
            #expect(words.contains { $0.text == text && abs($0.start - start) < 0.3 }, "\(text) in \(words)")
        }
        for pause in [2.3...3.2, 4.4...5.3] {
            #expect(!words.contains { pause.contains(($0.start + $0.end) / 2) }, "\(words)")
        }
        #expect(words.allSatisfy { $0.start <= $0.end && (0...1).contains($0.confidence ?? -1) })
        #expect(words.allSatisfy { !$0.text.contains("(") && !$0.text.contains("<") && !$0.text.contains("[") })
        #expect(made.usage.audioSeconds > 5 && made.usage.requests == 0 && made.usage.bytesRead > 300_000)
        let told = fractions.withLock { $0 }
        #expect(told.last == 1 && told == told.sorted())
    }

    @Test(.enabled(if: Media.isPresent && hasModel))
    func `A part of a recording has the recording's times`() async throws {
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: Media.file("audio/jfk_16k.wav"), start: 5, end: 8), media: MediaEngine(),
            progress: nil)
        #expect(!made.transcript.words.isEmpty)
        #expect(made.transcript.words.allSatisfy { $0.start >= 4.9 && $0.end <= 8.1 })
    }

    @Test(.enabled(if: Media.isPresent && hasModel))
    func `Music has next to no words`() async throws {
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: Media.file("audio/guitar_music.mp3")), media: MediaEngine(), progress: nil)
        #expect(made.transcript.words.count <= 3, "\(made.transcript.segments.map(\.text))")
    }

    @Test(.enabled(if: Media.isPresent && hasModel))
    func `Each channel of a call speaks for itself`() async throws {
        let folder = try Scratch()
        let left = try await sound("audio/jfk_16k.wav", seconds: 11)
        let right = try await sound("audio/phone_en_8k_30s.wav", seconds: 12)
        let silence = { (count: Int) in [Int16](repeating: 0, count: count) }
        let call = try folder.put(
            "call.wav", wave([left + silence(right.count), silence(left.count) + right]))
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: call, channels: .separate, speakers: ["Caller"]), media: MediaEngine(),
            progress: nil)
        let caller = made.transcript.segments.filter { $0.channel == 0 }
        let other = made.transcript.segments.filter { $0.channel == 1 }
        #expect(!caller.isEmpty && caller.allSatisfy { $0.speaker == "Caller" && $0.end < 11.5 })
        #expect(!other.isEmpty && other.allSatisfy { $0.speaker == "Speaker 2" && $0.start > 10.5 })
        #expect(caller.count + other.count == made.transcript.segments.count)
        #expect(other.flatMap(\.words).contains { $0.text == "congratulations" })
    }

    @Test(.enabled(if: hasModel)) func `Silence has no words`() async throws {
        let folder = try Scratch()
        let file = try folder.put("silence.wav", wave([[Int16](repeating: 0, count: 48_000)]))
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: file), media: MediaEngine(), progress: nil)
        #expect(made.transcript.segments.isEmpty && abs(made.transcript.duration - 3) < 0.1)
    }

    @Test func `A missing model is named, with the package that has it`() async throws {
        let error = await #expect(throws: ProviderError.self) {
            try await PocketSphinxTranscriber(modelFolder: "/nowhere/en-us").transcribe(
                TranscriptionRequest(input: "a.wav"), media: MediaEngine(), progress: nil)
        }
        #expect(error?.code == .configuration)
        let text = error?.description ?? ""
        #expect(text.contains("/nowhere/en-us") && text.contains("pocketsphinx-en-us"))
    }

    @Test(.enabled(if: hasModel)) func `Another language is refused before anything is read`() async throws {
        let error = await #expect(throws: ProviderError.self) {
            try await transcriber.transcribe(
                TranscriptionRequest(input: "/nowhere.wav", language: "fr"), media: MediaEngine(), progress: nil)
        }
        #expect(error?.code == .badRequest)
    }

    @Test(.enabled(if: Media.isPresent && hasModel)) func `A cancelled recognition ends`() async throws {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let transcriber = transcriber
        let task = Task {
            try await transcriber.transcribe(
                TranscriptionRequest(input: Media.file("audio/long_en_8k_5min.flac")), media: MediaEngine()
            ) { _ in begin.yield() }
        }
        for await _ in begun { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    // MARK: Input

    private func sound(_ name: String, seconds: Double) async throws -> [Int16] {
        let samples = Locked<[Int16]>([])
        try await MediaEngine().readSound(SoundRequest(input: Media.file(name), end: seconds)) { block in
            samples.withLock { $0 += block.samples[0] }
        }
        return samples.withLock { $0 }
    }

    /// 16 bit PCM at 16 kHz.
    private func wave(_ channels: [[Int16]]) -> [UInt8] {
        let frames = channels.map(\.count).min() ?? 0
        let width = channels.count * 2
        var bytes: [UInt8] = []
        func put<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
        }
        bytes += Array("RIFF".utf8)
        put(UInt32(36 + frames * width))
        bytes += Array("WAVEfmt ".utf8)
        put(UInt32(16))
        put(UInt16(1))
        put(UInt16(channels.count))
        put(UInt32(16_000))
        put(UInt32(16_000 * width))
        put(UInt16(width))
        put(UInt16(16))
        bytes += Array("data".utf8)
        put(UInt32(frames * width))
        for frame in 0..<frames { for channel in channels { put(channel[frame]) } }
        return bytes
    }
}
