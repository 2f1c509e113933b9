import Providers

extension ServiceProviders {
    /// What writes summaries and translations; `nil` where no service is set, or none has a key.
    func chatModel() -> (any ChatModel)? {
        switch settings.chat.service {
        case .openAI: openAIChat()
        case .anthropic: anthropicChat()
        case .automatic:
            if settings.openAI.key != nil {
                openAIChat()
            } else if settings.anthropic.key != nil {
                anthropicChat()
            } else {
                nil
            }
        case .none: nil
        }
    }

    /// The variable of the key that the service which is named to write cannot do without; `nil` if nothing is missing.
    static func missingChatKey(_ settings: WorkerConfiguration.Providers) -> String? {
        switch settings.chat.service {
        // Servers of one's own may ask for no key.
        case .openAI where settings.openAI.key == nil && settings.openAI.isOpenAIs: "OPENAI_API_KEY"
        case .anthropic where settings.anthropic.key == nil: "ANTHROPIC_API_KEY"
        default: nil
        }
    }

    /// What makes pictures; `nil` without a key.
    func imageGenerator() -> (any ImageGenerator)? {
        falQueue().map { FalImageGenerator(endpoint: settings.fal.imageModel, queue: $0) }
    }

    /// What makes clips; `nil` without a key.
    func videoGenerator() -> (any VideoGenerator)? {
        falQueue().map { FalVideoGenerator(endpoint: settings.fal.videoModel, queue: $0) }
    }

    private func openAIChat() -> any ChatModel {
        OpenAIChat(
            model: settings.chat.model ?? OpenAIChat.defaultModel, baseURL: settings.openAI.baseURL,
            key: settings.openAI.key, client: client)
    }

    private func anthropicChat() -> any ChatModel {
        AnthropicChat(
            model: settings.chat.model ?? AnthropicChat.defaultModel, baseURL: settings.anthropic.baseURL,
            key: settings.anthropic.key, client: client)
    }

    private func falQueue() -> FalQueue? {
        settings.fal.key.map { FalQueue(url: settings.fal.queueURL, key: $0, client: client) }
    }
}
