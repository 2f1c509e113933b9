import Foundation
import MediaKit
import Providers
import TestSupport
import Testing

/// Against a small library with whisper.cpp's C interface, made on the spot: it says "hello wörld" over whatever it hears,
/// and refuses parameters that are not where it has them.
@Suite struct WhisperTests {
    private let folder: Scratch

    init() throws { folder = try Scratch() }

    @Test(.enabled(if: hasCompiler), arguments: [0, 1])
    func `Words are put together of tokens, with the recording's times`(layout: Int) async throws {
        let transcriber = WhisperTranscriber(model: try model("stub"), library: try library(layout), threads: 3)
        let made = try await transcriber.transcribe(
            TranscriptionRequest(input: try tone(from: 2, to: 4), prompt: "Wörld"), media: MediaEngine(), progress: nil)
        let transcript = made.transcript
        #expect(transcript.engine == "whisper:test" && transcript.quality == .standard)
        #expect(transcript.language == "de")
        #expect(transcript.segments.map(\.text) == ["hello wörld"])
        #expect(transcript.words.map(\.text) == ["hello", "wörld"])
        // A word is as sure as its least sure piece.
        #expect(transcript.words.map { ($0.confidence ?? 0) < 0.6 } == [false, true])
        let times = transcript.words.flatMap { [$0.start, $0.end] }
        #expect(zip(times, [2, 3, 3, 4]).allSatisfy { abs($0 - $1) < 0.1 }, "\(times)")
    }

    @Test(.enabled(if: hasCompiler)) func `A library of an unknown form is refused by its version`() async throws {
        let error = await failure(of: WhisperTranscriber(model: try model("stub"), library: try library(2)))
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("7.0.0") == true)
    }

    @Test(.enabled(if: hasCompiler)) func `What is no model is refused by its name`() async throws {
        let path = try model("nonsense")
        let error = await failure(of: WhisperTranscriber(model: path, library: try library(1)))
        #expect(error?.code == .configuration && error?.description.contains(path) == true)
    }

    @Test(.enabled(if: hasCompiler)) func `A language that the model does not know is refused`() async throws {
        let transcriber = WhisperTranscriber(model: try model("stub"), library: try library(1))
        let error = await #expect(throws: ProviderError.self) {
            try await transcriber.transcribe(
                TranscriptionRequest(input: "/nowhere.wav", language: "xx"), media: MediaEngine(), progress: nil)
        }
        #expect(error?.code == .badRequest)
    }

    @Test func `A missing library is named, with what to install`() async throws {
        let error = await failure(of: WhisperTranscriber(model: try model("stub"), library: "/nowhere/libwhisper.so"))
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("/nowhere/libwhisper.so") == true)
        #expect(error?.description.contains("libwhisper-dev") == true)
    }

    @Test func `A missing model is named`() async throws {
        let error = await failure(of: WhisperTranscriber(model: "/nowhere/ggml-base.bin"))
        #expect(error?.code == .configuration && error?.description.contains("/nowhere/ggml-base.bin") == true)
    }

    @Test(.enabled(if: hasCompiler)) func `A recognition that never ends is cancelled`() async throws {
        let transcriber = WhisperTranscriber(model: try model("hang"), library: try library(1), threads: 3)
        let input = try tone(from: 0.2, to: 2)
        let task = Task {
            try await transcriber.transcribe(
                TranscriptionRequest(input: input, prompt: "Wörld"), media: MediaEngine(), progress: nil)
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    // MARK: Parts

    private static let hasCompiler = FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")

    private func failure(of transcriber: WhisperTranscriber) async -> ProviderError? {
        await #expect(throws: ProviderError.self) {
            try await transcriber.transcribe(
                TranscriptionRequest(input: "/nowhere.wav"), media: MediaEngine(), progress: nil)
        }
    }

    private func model(_ content: String) throws -> String {
        try folder.put("ggml-test.bin", Array(content.utf8))
    }

    private func library(_ layout: Int) throws -> String {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "whisper-stub.c").path
        let output = folder("libwhisper-\(layout).so")
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/cc")
        compiler.arguments = ["-shared", "-fPIC", "-DLAYOUT=\(layout)", "-o", output, source]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return output
    }

    /// Five seconds with a tone somewhere in them, as 16 bit PCM in RIFF.
    private func tone(from start: Double, to end: Double) throws -> String {
        let samples = (0..<80_000).map { index -> Int16 in
            let time = Double(index) / 16_000
            guard time >= start, time < end else { return 0 }
            // It swells and falls as syllables do.
            return Int16((sin(time * 2 * .pi * 300) + 0.4) * 9000 * (0.6 + 0.4 * sin(time * 2 * .pi * 4)))
        }
        var bytes: [UInt8] = []
        func put<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
        }
        bytes += Array("RIFF".utf8)
        put(UInt32(36 + samples.count * 2))
        bytes += Array("WAVEfmt ".utf8)
        for number in [UInt32(16)] { put(number) }
        for number in [UInt16(1), 1] { put(number) }
        for number in [UInt32(16_000), 32_000] { put(number) }
        for number in [UInt16(2), 16] { put(number) }
        bytes += Array("data".utf8)
        put(UInt32(samples.count * 2))
        for sample in samples { put(sample) }
        return try folder.put("tone.wav", bytes)
    }
}
