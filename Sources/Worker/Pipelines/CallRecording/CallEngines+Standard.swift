import Providers

extension CallEngines {
    /// By the settings.
    static let standard = CallEngines { _ in
        throw ProviderError(.configuration, "no recogniser is set up", provider: "speech")
    } analyse: { _, _ in
        throw ProviderError(.configuration, "no analyst is set up", provider: "chat")
    }
}
