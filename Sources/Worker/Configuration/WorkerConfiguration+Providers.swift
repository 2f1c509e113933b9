import Providers
import Transfer

/// What the services and recognisers are told, by ``WorkerConfiguration/providers``. Keys are never printed.
extension WorkerConfiguration {
    /// Services that recognise, answer and make pictures.
    struct Providers: Sendable {
        var openAI: OpenAI = OpenAI()
        var anthropic: Anthropic = Anthropic()
        var speech: Speech = Speech()
        var chat: Chat = Chat()
        var fal: Fal = Fal()
        var twilio: Twilio = Twilio()

        /// OpenAI, or a server that speaks as it does.
        struct OpenAI: Sendable {
            var key: String?
            /// Up to and with the version.
            var baseURL: HTTPURL = .constant("https://api.openai.com/v1")
            /// Whether it is OpenAI's own, which answers nobody without a key.
            var isOpenAIs: Bool { baseURL.host == "api.openai.com" }
        }

        struct Anthropic: Sendable {
            var key: String?
            /// Without the version.
            var baseURL: HTTPURL = .constant("https://api.anthropic.com")
        }

        /// What recognises speech.
        struct Speech: Sendable {
            enum Engine: String, Decodable, Sendable, CaseIterable {
                /// `openai` with a key, else `whisper` with a model, else `pocketsphinx`.
                case automatic = "auto"
                case openAI = "openai"
                case whisper
                case pocketSphinx = "pocketsphinx"
            }

            var engine: Engine = .automatic
            /// Of the OpenAI-compatible service.
            var model: String = "whisper-1"
            /// Requests at a time for one recording.
            var requests: Int = 4
            /// Of the files that it is sent.
            var format: SpeechFileFormat = .opus
            /// Seconds of such a file at most.
            var longestChunk: Double = 600
            /// US dollars for a minute of sound; `nil` for the list price where the model has one that is known.
            var pricePerMinute: Double?
            /// A model file of whisper.cpp.
            var whisperModel: String?
            /// The library of whisper.cpp; `nil` for `libwhisper.so` where the system has it.
            var whisperLibrary: String?
            /// The folder of PocketSphinx's acoustic model, with its dictionary and language model beside it.
            var pocketSphinxModel: String = "/usr/share/pocketsphinx/model/en-us"
        }

        /// What writes summaries and translations.
        struct Chat: Sendable {
            enum Service: String, Sendable, CaseIterable {
                /// `openai` or `anthropic`, whichever has a key, the first of them with both; `none` without.
                case automatic = "auto"
                case openAI = "openai"
                case anthropic
                case none
            }

            var service: Service = .automatic
            /// `nil` for a usual one of the service.
            var model: String?
        }

        /// fal.ai.
        struct Fal: Sendable {
            var key: String?
            var queueURL: HTTPURL = .constant("https://queue.fal.run")
            /// The endpoint of pictures.
            var imageModel: String = "fal-ai/flux/srpo"
            /// The endpoint of clips.
            var videoModel: String = "fal-ai/veo3.1/fast"
        }

        /// Where recordings of calls are.
        struct Twilio: Sendable {
            /// For recordings that do not say whose they are.
            var accountSID: String?
            /// The account's primary token: its webhooks are signed with it, and its recordings fetched.
            var authToken: String?
            /// Hosts that the token is sent to.
            var hosts: [String] = ["api.twilio.com"]
        }
    }
}

extension HTTPURL {
    /// A URL that is written in the source.
    fileprivate static func constant(_ text: StaticString) -> HTTPURL {
        do { return try HTTPURL("\(text)") } catch { preconditionFailure("\(text) is no URL: \(error)") }
    }
}
