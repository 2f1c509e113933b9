import Locking

extension OpenAITranscriber {
    /// What the chunks of one recording learn of the server.
    final class Session: Sendable {
        private struct State {
            var form: OpenAISpeechModel.Form
            var format: SpeechFileFormat
            /// The end of what was said, by channel.
            var tails: [Int: String] = [:]
        }
        private let state: Locked<State>

        init(form: OpenAISpeechModel.Form, format: SpeechFileFormat) {
            state = Locked(State(form: form, format: format))
        }

        var form: OpenAISpeechModel.Form { state.withLock { $0.form } }
        /// Of the files that are sent.
        var format: SpeechFileFormat { state.withLock { $0.format } }

        /// Asks for less from now on. Returns whether there is less to ask for.
        func stepDown(from form: OpenAISpeechModel.Form) -> Bool {
            state.withLock { state in
                if state.form < form { return true }
                switch form {
                case .words: state.form = .segments
                case .segments, .speakers: state.form = .text
                case .text: return false
                }
                return true
            }
        }

        /// Sends WAV from now on, which all can read. Returns whether it was anything else.
        func stepDown(from format: SpeechFileFormat) -> Bool {
            state.withLock { $0.format = .wav }
            return format != .wav
        }

        func tail(_ channel: Int?) -> String? { state.withLock { $0.tails[channel ?? -1] } }
        func setTail(_ text: String, _ channel: Int?) { state.withLock { $0.tails[channel ?? -1] = text } }
    }
}
