import Providers
import Testing
import Transfer

@testable import Worker

/// Who is asked, by the settings.
struct ServiceProviderTests {
    private static func providers(
        _ change: (inout WorkerConfiguration.Providers) -> Void
    ) throws -> ServiceProviders {
        var settings = WorkerConfiguration.Providers()
        change(&settings)
        return ServiceProviders(settings: settings, client: try HTTPClient())
    }

    @Test func `Without a key nobody is asked`() throws {
        let providers = try Self.providers { _ in }
        #expect(providers.chatModel() == nil)
        #expect(providers.imageGenerator() == nil)
        #expect(providers.videoGenerator() == nil)
    }

    @Test func `The service with a key is asked, and the first of two`() throws {
        let one = try Self.providers { $0.anthropic.key = "k" }
        #expect(one.chatModel()?.engineName == "anthropic:\(AnthropicChat.defaultModel)")
        let two = try Self.providers {
            $0.anthropic.key = "k"
            $0.openAI.key = "k"
        }
        #expect(two.chatModel()?.engineName == "openai:\(OpenAIChat.defaultModel)")
    }

    @Test func `A service and a model that are named are taken, also without a key`() throws {
        let own = try Self.providers {
            $0.chat.service = .openAI
            $0.chat.model = "own-model"
        }
        #expect(own.chatModel()?.engineName == "openai:own-model")
        let none = try Self.providers {
            $0.openAI.key = "k"
            $0.chat.service = .none
        }
        #expect(none.chatModel() == nil)
    }

    @Test func `Pictures and clips are made by the endpoints that are set`() throws {
        let providers = try Self.providers {
            $0.fal.key = "id:secret"
            $0.fal.videoModel = "fal-ai/wan-i2v"
        }
        #expect(providers.imageGenerator()?.engineName == "fal:fal-ai/flux/srpo")
        #expect(providers.videoGenerator()?.engineName == "fal:fal-ai/wan-i2v")
    }
}
