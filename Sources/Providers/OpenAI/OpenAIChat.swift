import Locking
public import Transfer

/// Chat completions, of OpenAI and of the many servers that speak as it does.
///
/// Servers differ in what they take. What one refuses is left out and not asked of it again: a JSON schema becomes any
/// JSON object and then words in the prompt, `max_completion_tokens` becomes `max_tokens`, the temperature goes. An
/// answer's form is therefore never certain: callers check it.
///
/// Wire protocol: `CreateChatCompletionRequest` of https://github.com/openai/openai-openapi
public final class OpenAIChat: ChatModel {
    /// What is asked where no model is named: small, and able to keep to a schema.
    public static let defaultModel = "gpt-4o-mini"
    public let engineName: String
    private let model: String
    private let url: HTTPURL
    private let call: JSONCall
    private let dialect = Locked(OpenAIDialect())

    /// - Parameters:
    ///   - baseURL: up to and with the version: "https://api.openai.com/v1".
    ///   - key: `nil` for a server that wants none.
    ///   - retries: `nil` for two more attempts.
    ///   - timeouts: `nil` for 10 minutes.
    public init(
        model: String = OpenAIChat.defaultModel, baseURL: HTTPURL, key: String?, client: HTTPClient,
        retries: HTTPRetryPolicy? = nil, timeouts: HTTPTimeouts? = nil
    ) {
        self.model = model
        engineName = "openai:\(model)"
        url = baseURL.endpoint("chat/completions")
        var headers: HTTPHeaders = [:]
        if let key { headers["Authorization"] = "Bearer \(key)" }
        call = JSONCall(
            provider: "openai", client: client, headers: headers, requestIDHeader: "x-request-id",
            keyHint: "check OPENAI_API_KEY", retries: retries ?? JSONCall.usualRetries,
            timeouts: timeouts ?? JSONCall.usualTimeouts)
    }

    public func complete(_ request: ChatRequest) async throws -> ChatAnswer {
        try request.validate(provider: "openai")
        return try await request.withGrowingBudget(provider: "openai") { request in try await self.ask(request) }
    }

    /// Asks in the dialect that the server is known for, and learns from its objections.
    private func ask(_ request: ChatRequest) async throws -> ChatOutcome {
        var attempt = dialect.withLock { $0 }
        var first: ProviderError?
        while true {
            do {
                let reply = try await call.send(.post, url, attempt.body(request, model: model), repeats: .asking)
                let outcome = try outcome(reply)
                // Only what has worked is remembered: an objection may have been to something else.
                dialect.withLock { [attempt] in $0 = attempt }
                return outcome
            } catch let error as ProviderError where error.status == 400 || error.status == 422 {
                let complaint = ServiceComplaint((error.cause as? TransferError)?.body ?? [])
                if complaint.isRefusal { throw ProviderError(refusal: error) }
                guard error.code == .badRequest, attempt.adapt(to: complaint, request) else { throw first ?? error }
                first = first ?? error
            }
        }
    }

    private func outcome(_ reply: HTTPReply) throws -> ChatOutcome {
        let requestID = call.requestID(reply.headers)
        func failure(_ code: ProviderError.Code, _ message: String) -> ProviderError {
            ProviderError(
                code, message, provider: "openai", status: reply.status, requestID: requestID,
                isRetryable: code == .badAnswer)
        }
        let completion = try call.read(Completion.self, of: reply)
        guard let choice = completion.choices.first else { throw failure(.badAnswer, "the answer holds no choice") }
        if let refusal = choice.message.refusal, !refusal.isEmpty { throw failure(.refused, "the model refused") }
        let answer = ChatAnswer(
            text: choice.message.content ?? "", model: completion.model ?? model,
            inputTokens: completion.usage?.prompt_tokens ?? 0, outputTokens: completion.usage?.completion_tokens ?? 0)
        switch choice.finish_reason {
        case "length": return .cutOff(answer, requestID: requestID)
        case "content_filter": throw failure(.refused, "the service's filter stopped the answer")
        default: break
        }
        guard !answer.text.isEmpty else { throw failure(.badAnswer, "the model answered nothing") }
        return .whole(answer)
    }

    /// As the service spells it.
    private struct Completion: Decodable {
        var model: String?
        var choices: [Choice]
        var usage: Usage?

        struct Choice: Decodable {
            var message: Message
            var finish_reason: String?
        }
        struct Message: Decodable {
            var content: String?
            var refusal: String?
        }
        struct Usage: Decodable {
            var prompt_tokens: Int?
            var completion_tokens: Int?
        }
    }
}
