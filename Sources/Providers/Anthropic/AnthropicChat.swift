import Locking
public import Transfer

/// Messages of Anthropic.
///
/// A form of JSON is asked for as `output_config`; models that do not know it are given a tool to call, whose input has
/// that form.
///
/// Wire protocol: `message_create_params.py` of https://github.com/anthropics/anthropic-sdk-python
public final class AnthropicChat: ChatModel {
    /// What is asked where no model is named.
    public static let defaultModel = "claude-haiku-4-5"
    public let engineName: String
    private let model: String
    private let url: HTTPURL
    private let call: JSONCall
    private let hasKey: Bool
    private let dialect = Locked(Dialect())

    /// - Parameters:
    ///   - baseURL: without the version: "https://api.anthropic.com".
    ///   - key: without one, each request is an error of code `configuration`.
    ///   - retries: `nil` for two more attempts.
    ///   - timeouts: `nil` for 10 minutes.
    public init(
        model: String = AnthropicChat.defaultModel, baseURL: HTTPURL, key: String?, client: HTTPClient,
        retries: HTTPRetryPolicy? = nil, timeouts: HTTPTimeouts? = nil
    ) {
        self.model = model
        engineName = "anthropic:\(model)"
        url = baseURL.endpoint("v1/messages")
        hasKey = key != nil
        var headers: HTTPHeaders = ["anthropic-version": "2023-06-01"]
        if let key { headers["x-api-key"] = key }
        call = JSONCall(
            provider: "anthropic", client: client, headers: headers, requestIDHeader: "request-id",
            keyHint: "check ANTHROPIC_API_KEY", retries: retries ?? JSONCall.usualRetries,
            timeouts: timeouts ?? JSONCall.usualTimeouts)
    }

    public func complete(_ request: ChatRequest) async throws -> ChatAnswer {
        guard hasKey else {
            throw ProviderError(
                .configuration, "there is no key for it", provider: "anthropic", hint: "set ANTHROPIC_API_KEY")
        }
        try request.validate(provider: "anthropic")
        return try await request.withGrowingBudget(provider: "anthropic") { request in try await self.ask(request) }
    }

    /// What the model is known to take.
    private struct Dialect: Sendable {
        var hasFormats = true
        var sendsTemperature = true

        mutating func adapt(to complaint: ServiceComplaint, _ request: ChatRequest) -> Bool {
            if sendsTemperature, complaint.mentions("temperature") {
                sendsTemperature = false
                return true
            }
            let isAboutForm = ["output_config", "output_format", "output format", "structured output", "schema"]
                .contains {
                    complaint.mentions($0)
                }
            guard hasFormats, request.format != nil, isAboutForm else { return false }
            hasFormats = false
            return true
        }
    }

    private func ask(_ request: ChatRequest) async throws -> ChatOutcome {
        var attempt = dialect.withLock { $0 }
        while true {
            do {
                let reply = try await call.send(.post, url, body(request, attempt), repeats: .asking)
                let outcome = try outcome(reply, toolName: attempt.hasFormats ? nil : request.format?.name)
                dialect.withLock { [attempt] in $0 = attempt }
                return outcome
            } catch let error as ProviderError where error.status == 400 {
                let complaint = ServiceComplaint((error.cause as? TransferError)?.body ?? [])
                guard error.code == .badRequest, attempt.adapt(to: complaint, request) else { throw error }
            }
        }
    }

    private func body(_ request: ChatRequest, _ dialect: Dialect) -> JSONTree {
        var members: [JSONTree.Member] = [
            .init("model", .string(model)),
            .init("max_tokens", .int(request.maximumTokens)),
            .init(
                "messages",
                .array(request.messages.map { ["role": .string($0.role.rawValue), "content": .string($0.text)] })),
        ]
        if !request.system.isEmpty { members.append(.init("system", .string(request.system))) }
        if dialect.sendsTemperature { members.append(.init("temperature", .number(min(1, request.temperature)))) }
        guard let format = request.format else { return .object(members) }
        if dialect.hasFormats {
            members.append(
                .init("output_config", ["format": ["type": "json_schema", "schema": .verbatim(format.schema)]]))
        } else {
            members.append(
                .init(
                    "tools",
                    [
                        [
                            "name": .string(format.name), "description": "Takes the answer.",
                            "input_schema": .verbatim(format.schema),
                        ]
                    ]))
            members.append(.init("tool_choice", ["type": "tool", "name": .string(format.name)]))
        }
        return .object(members)
    }

    private func outcome(_ reply: HTTPReply, toolName: String?) throws -> ChatOutcome {
        let requestID = call.requestID(reply.headers)
        func failure(_ code: ProviderError.Code, _ message: String) -> ProviderError {
            ProviderError(
                code, message, provider: "anthropic", status: reply.status, requestID: requestID,
                isRetryable: code == .badAnswer)
        }
        let message = try call.read(Message.self, of: reply)
        let text: String
        if let toolName {
            text = message.content.first { $0.type == "tool_use" && $0.name == toolName }?.input?.text ?? ""
        } else {
            text = message.content.filter { $0.type == "text" }.compactMap(\.text).joined()
        }
        let answer = ChatAnswer(
            text: text, model: message.model ?? model, inputTokens: message.usage?.input_tokens ?? 0,
            outputTokens: message.usage?.output_tokens ?? 0)
        switch message.stop_reason {
        case "max_tokens": return .cutOff(answer, requestID: requestID)
        case "refusal": throw failure(.refused, "the model refused")
        case "model_context_window_exceeded":
            throw failure(.tooLarge, "the conversation is longer than the model takes")
        case "pause_turn": throw failure(.badAnswer, "the model paused its turn, which nothing asked for")
        default: break
        }
        guard !text.isEmpty else { throw failure(.badAnswer, "the model answered nothing") }
        return .whole(answer)
    }

    /// As the service spells it.
    private struct Message: Decodable {
        var model: String?
        var content: [Block]
        var stop_reason: String?
        var usage: Usage?

        struct Block: Decodable {
            var type: String
            var text: String?
            var name: String?
            var input: JSONTree?
        }
        struct Usage: Decodable {
            var input_tokens: Int?
            var output_tokens: Int?
        }
    }
}
