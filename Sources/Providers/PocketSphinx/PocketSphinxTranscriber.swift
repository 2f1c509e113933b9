public import MediaKit
import Transfer

/// Recognises English in this process, without a key, a network or a graphics card.
///
/// It is a draft: models of 2016, made for dictation at 16 kHz, mishear every second or third word of a telephone call.
/// Good for trying things out, and for finding where something is said.
public struct PocketSphinxTranscriber: Transcriber {
    static let name = "pocketsphinx"

    public var engineName: String { Self.name }
    public var quality: Transcript.Quality { .draft }

    private let modelFolder: String

    /// Longer utterances than other recognisers get: the language model knows what a word follows, and the spectrum that
    /// is taken off is steadier. A cut after four seconds costs a dictated sentence more than a third of its words.
    private static let cutting = SpeechCutting(longest: 30, overlap: 1, pause: 0.35, cutsAfter: 10)

    /// - Parameter modelFolder: holds the acoustic model, the language model and the dictionary; looked at when
    ///   something is recognised.
    public init(modelFolder: String = PocketSphinxModel.usualFolder) {
        self.modelFolder = modelFolder
    }

    public func transcribe(
        _ request: TranscriptionRequest, media: MediaEngine, progress: (@Sendable (Double) -> Void)?
    ) async throws -> Transcription {
        let model = try PocketSphinxModel(folder: modelFolder)
        try check(request.language, model)
        let decoder = try await PocketSphinxPool.shared.take(model)
        let result: SpeechRecognition.Result
        // Nothing uses it any longer once `run` has ended, whatever way.
        do {
            result = try await recognise(request, by: decoder, media, progress)
            PocketSphinxPool.shared.give(decoder)
        } catch {
            // One that failed may be stuck amid an utterance, and is not for the next recording.
            if !(error is ProviderError) { PocketSphinxPool.shared.give(decoder) }
            throw error
        }
        return Transcription(
            transcript: Transcript(
                engine: engineName, quality: quality, language: model.languageCode, duration: result.duration,
                segments: result.segments),
            usage: TranscriptionUsage(
                audioSeconds: result.audioSeconds, requests: result.requests, cost: nil, bytesRead: result.bytesRead))
    }

    private func recognise(
        _ request: TranscriptionRequest, by decoder: PocketSphinxDecoder, _ media: MediaEngine,
        _ progress: (@Sendable (Double) -> Void)?
    ) async throws -> SpeechRecognition.Result {
        let stop = StopFlag()
        return try await SpeechRecognition(request, cutting: Self.cutting).run(media, progress: progress) { chunk in
            try await withTaskCancellationHandler {
                try await OwnThread.run {
                    let words = try decoder.decode(chunk.samples, channel: chunk.channel, stop: stop)
                    return SpeechRecognition.Heard(
                        segments: PocketSphinxUtterance(words, start: chunk.start).segments,
                        audioSeconds: chunk.duration)
                }
            } onCancel: {
                stop.set()
            }
        }
    }

    private func check(_ language: String?, _ model: PocketSphinxModel) throws(ProviderError) {
        guard let language, let own = model.languageCode else { return }
        guard SpeechLanguage.code(language) == own else {
            throw ProviderError(
                .badRequest, "its model is of the language \"\(own)\", not \"\(language)\"", provider: Self.name,
                hint: "choose another engine: openai or whisper")
        }
    }
}
