import MediaKit
import ProviderTestSupport
import Providers
import Transfer

/// Models that ask stand-ins, without the waits of real ones.
enum ChatBench {
    static let retries = HTTPRetryPolicy(
        maxAttempts: 3, base: .milliseconds(1), cap: .milliseconds(5), longestRetryAfter: .seconds(10))
    static let openAIKey = "sk-test-0123456789"
    static let anthropicKey = "sk-ant-test-0123456789"

    static func model(
        _ server: OpenAIChatStandIn, key: String? = openAIKey, timeouts: HTTPTimeouts? = nil
    ) throws -> OpenAIChat {
        OpenAIChat(
            model: "gpt-4o-mini", baseURL: try server.baseURL, key: key, client: try HTTPClient(), retries: retries,
            timeouts: timeouts)
    }

    static func model(_ server: AnthropicStandIn, key: String? = anthropicKey) throws -> AnthropicChat {
        AnthropicChat(
            model: "claude-haiku-4-5", baseURL: try server.baseURL, key: key, client: try HTTPClient(),
            retries: retries)
    }

    static let format = ChatRequest.Format(
        name: "call_insights",
        schema: #"{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"type":"string"}}}"#
    )

    static func request(format: ChatRequest.Format? = nil) -> ChatRequest {
        ChatRequest(system: "Be brief.", messages: [.init(.user, "Say \"hello\"\nplease.")], format: format)
    }

    /// The error that something throws; `nil` if it does not, or throws another.
    static func failure<R: Sendable>(_ body: () async throws -> R) async -> ProviderError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? ProviderError
        }
    }

    /// A call of two people.
    static let call = Transcript(
        engine: "test", language: "en", duration: 60,
        segments: [
            .init(
                start: 0, end: 4, text: "Thanks for calling Northwind Bikes, this is Dana speaking.", speaker: "Agent"),
            .init(
                start: 4, end: 10, text: "Hi Dana, my cargo bike order is late and the brake cable was broken.",
                speaker: "Customer"),
            .init(start: 10, end: 14, text: "I am sorry about the broken brake cable.", speaker: "Agent"),
            .init(
                start: 14, end: 20, text: "I'll send a new brake cable by Friday, free of charge.", speaker: "Agent"),
            .init(
                start: 20, end: 28, text: "Great. Please call me back at +1 415 555 0132 or write to lee@example.com.",
                speaker: "Customer"),
            .init(
                start: 28, end: 33, text: "Sure, the refund of $49.90 is on its way, Mr. Lee Wong.", speaker: "Agent"),
        ])
}
