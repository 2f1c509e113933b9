import Glibc
import Providers
import Transfer

/// Which engine recognises speech where nobody says, and whether it has what it needs.
struct SpeechCheck: DoctorCheck {
    let name = "speech"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let settings = context.configuration.providers
        let isChosen = settings.speech.engine != .automatic
        switch ServiceProviders.speechEngine(settings) {
        case .openAI:
            guard settings.openAI.key != nil || !settings.openAI.isOpenAIs else {
                return [.wrong("openai is to recognise speech, and has no key", "set OPENAI_API_KEY")]
            }
            return [.ok("openai recognises speech, with \(settings.speech.model)")]
        case .whisper:
            guard let model = settings.speech.whisperModel else {
                return [.wrong("whisper is to recognise speech, and has no model", "set WHISPER_MODEL")]
            }
            guard access(model, R_OK) == 0 else {
                return [.wrong("whisper is to recognise speech, and there is no \(model)", "correct WHISPER_MODEL")]
            }
            do {
                let library = settings.speech.whisperLibrary
                let version = try await OwnThread.run { try WhisperTranscriber.libraryVersion(library) }
                return [.ok("whisper \(version) recognises speech, with \(model)")]
            } catch let error as ProviderError {
                return [.wrong("whisper is to recognise speech: \(error.message)", error.hint)]
            }
        case .automatic, .pocketSphinx:
            do { _ = try PocketSphinxModel(folder: settings.speech.pocketSphinxModel) } catch {
                let finding = "pocketsphinx is to recognise speech: \(error.message)"
                // Only those jobs fail that recognise.
                return [isChosen ? .wrong(finding, error.hint) : .note(finding, error.hint)]
            }
            return [
                isChosen
                    ? .ok("pocketsphinx recognises speech, as a draft")
                    : .note(
                        "pocketsphinx recognises speech, which is a draft",
                        "set OPENAI_API_KEY, or WHISPER_MODEL for one in the process")
            ]
        }
    }
}
