import Glibc
import Providers
import Transfer

extension ServiceProviders {
    typealias SpeechEngine = WorkerConfiguration.Providers.Speech.Engine

    /// The engine that `automatic` and `nil` come to here.
    func speechEngine(_ asked: SpeechEngine? = nil) -> SpeechEngine { Self.speechEngine(settings, asked) }

    static func speechEngine(_ settings: WorkerConfiguration.Providers, _ asked: SpeechEngine? = nil) -> SpeechEngine {
        let asked = asked == .automatic ? nil : asked
        let set = settings.speech.engine == .automatic ? nil : settings.speech.engine
        if let engine = asked ?? set { return engine }
        if settings.openAI.key != nil { return .openAI }
        return settings.speech.whisperModel != nil ? .whisper : .pocketSphinx
    }

    /// What recognises speech.
    ///
    /// - Parameters:
    ///   - asked: by a job or a person; `nil` for what is set.
    ///   - cores: that a recogniser in this process may use.
    /// - Throws: ``ProviderError`` with code `configuration`.
    func transcriber(_ asked: SpeechEngine? = nil, cores: Int = 4) throws -> any Transcriber {
        let engine = speechEngine(asked)
        switch engine {
        case .openAI:
            // Servers of one's own may ask for no key.
            guard settings.openAI.key != nil || !settings.openAI.isOpenAIs else {
                throw ProviderError(
                    .configuration, "there is no key", provider: engine.rawValue, hint: "set OPENAI_API_KEY")
            }
            return OpenAITranscriber(
                settings: OpenAISettings(key: settings.openAI.key, baseURL: settings.openAI.baseURL),
                model: settings.speech.model, client: client, requests: settings.speech.requests,
                pricePerMinute: settings.speech.pricePerMinute, format: settings.speech.format,
                longestChunk: settings.speech.longestChunk)
        case .whisper:
            guard let model = settings.speech.whisperModel else {
                throw ProviderError(
                    .configuration, "there is no model", provider: engine.rawValue,
                    hint: "name a file such as ggml-base.bin in WHISPER_MODEL")
            }
            return WhisperTranscriber(model: model, library: settings.speech.whisperLibrary, threads: cores)
        case .automatic, .pocketSphinx:
            return PocketSphinxTranscriber(modelFolder: settings.speech.pocketSphinxModel)
        }
    }

    /// What a recognition takes of the worker.
    func speechWeight(_ asked: SpeechEngine? = nil) -> KindWeight {
        switch speechEngine(asked) {
        case .openAI:
            // Decodes sound, encodes chunks, and waits for answers. In memory are the chunks that are sent, as samples and
            // as files, and about four more on their way to that.
            let weight = SpeechTranscribe.weight
            let chunk = Int64(settings.speech.longestChunk * 32_000)
            let file = settings.speech.format == .opus || settings.speech.format == .mp3 ? chunk / 3 : chunk
            let chunks = Int64(settings.speech.requests) * (chunk + file) + 4 * chunk
            return KindWeight(cores: weight.cores, memory: max(weight.memory, 48 << 20 + chunks))
        case .automatic, .pocketSphinx: return KindWeight(cores: 1, memory: 384 << 20)
        case .whisper:
            var status = stat()
            let size = settings.speech.whisperModel.map { stat($0, &status) == 0 ? Int64(status.st_size) : 0 } ?? 0
            // Weights, and what is computed with them.
            return KindWeight(cores: 4, memory: (384 << 20) + size * 3 / 2)
        }
    }
}
