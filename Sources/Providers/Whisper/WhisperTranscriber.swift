public import MediaKit

/// Recognises in this process by whisper.cpp, which is loaded when it is first needed: 1.6 or later, and a model in the
/// ggml form.
///
/// A model is in memory once, and recognises one chunk at a time; recordings take turns.
public struct WhisperTranscriber: Transcriber {
    static let name = "whisper"

    public var engineName: String { "\(Self.name):\(Self.modelName(model))" }
    public var quality: Transcript.Quality { .standard }

    private let model: String
    private let library: String?
    private let threads: Int

    /// - Parameters:
    ///   - model: a file, such as ggml-base.bin.
    ///   - library: libwhisper.so; `nil` for the system's.
    ///   - threads: that recognise at the same time.
    public init(model: String, library: String? = nil, threads: Int = 4) {
        self.model = model
        self.library = library
        self.threads = max(1, threads)
    }

    /// Loads whisper.cpp's library, and tells its version. Blocks.
    ///
    /// - Parameter library: libwhisper.so; `nil` for the system's.
    /// - Throws: ``ProviderError`` with code `configuration` if there is none that can be used.
    public static func libraryVersion(_ library: String? = nil) throws(ProviderError) -> String {
        try WhisperModel.libraryVersion(library)
    }

    public func transcribe(
        _ request: TranscriptionRequest, media: MediaEngine, progress: (@Sendable (Double) -> Void)?
    ) async throws -> Transcription {
        let model = try await WhisperModel.shared(model: model, library: library)
        let language = try language(request.language, model)
        let threads = threads
        // A window is half a minute; a few of them give it context, and are cut at pauses.
        let cutting = SpeechCutting(longest: 180, overlap: 2)
        let stop = StopFlag()
        let result = try await SpeechRecognition(request, cutting: cutting).run(media, progress: progress) { chunk in
            try await withTaskCancellationHandler {
                let output = try await model.recognise(
                    WhisperModel.Task(
                        samples: chunk.samples, language: language, prompt: request.prompt, threads: threads),
                    stop: stop)
                return SpeechRecognition.Heard(
                    segments: output.segments(from: chunk.start, duration: chunk.duration), language: output.language,
                    audioSeconds: chunk.duration)
            } onCancel: {
                stop.set()
            }
        }
        return Transcription(
            transcript: Transcript(
                engine: engineName, quality: quality, language: result.language ?? language, duration: result.duration,
                segments: result.segments),
            usage: TranscriptionUsage(
                audioSeconds: result.audioSeconds, requests: result.requests, cost: nil, bytesRead: result.bytesRead))
    }

    private func language(_ asked: String?, _ model: WhisperModel) throws(ProviderError) -> String? {
        guard let asked else { return model.isMultilingual ? nil : "en" }
        guard let code = SpeechLanguage.code(asked), model.knows(language: code), model.isMultilingual || code == "en"
        else {
            throw ProviderError(
                .badRequest, "its model does not know the language \"\(asked)\"", provider: Self.name,
                hint: model.isMultilingual
                    ? "languages are ISO 639-1 codes, such as \"de\"" : "models that end in .en know English alone")
        }
        return code
    }

    /// "/models/ggml-base.en.bin" is "base.en".
    private static func modelName(_ path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasSuffix(".bin") { name.removeLast(4) }
        if name.hasPrefix("ggml-") { name.removeFirst(5) }
        return name
    }
}
