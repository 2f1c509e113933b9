import Providers
package import Transfer
import TransferTestSupport

/// The messages of Anthropic: strict about what it is sent.
///
/// Thread-safe.
package final class AnthropicStandIn: Sendable {
    private let service: ChatService

    /// - Parameter formats: whether the model knows `output_config`.
    package init(
        key: String = "sk-ant-test-0123456789", formats: Bool = true,
        answer: @escaping @Sendable (ChatQuestion) -> ChatStandInReply
    ) throws {
        service = try ChatService(
            .init(
                requestIDHeader: "request-id",
                question: { try AnthropicStandIn.question($0, $1, key: key, formats: formats) },
                answer: AnthropicStandIn.message,
                objection: { .anthropic($0.status, $0.type, $0.message) }), answer: answer)
    }

    package var faults: ServiceFaults { service.faults }
    /// Without the version.
    package var baseURL: HTTPURL { get throws { try HTTPURL(service.url("")) } }
    /// Those that were well formed.
    package var questions: [ChatQuestion] { service.questions }
    /// All that came, also what was objected to.
    package var requests: Int { service.requests }

    private static let fields: Set<String> = [
        "model", "max_tokens", "messages", "system", "temperature", "stop_sequences", "tools", "tool_choice", "stream",
        "output_config", "metadata", "top_p", "top_k",
    ]

    private static func question(
        _ head: RawRequest, _ body: [UInt8], key: String, formats: Bool
    ) throws -> ChatQuestion {
        func bad(_ message: String) -> ServiceObjection { ServiceObjection(status: 400, message: message) }
        guard head.method == "POST", head.target == "/v1/messages" else {
            throw ServiceObjection(status: 404, message: "Not found", type: "not_found_error")
        }
        guard head.headers["x-api-key"] == key, head.headers["Authorization"] == nil else {
            throw ServiceObjection(status: 401, message: "invalid x-api-key", type: "authentication_error")
        }
        guard head.headers["anthropic-version"] == "2023-06-01" else {
            throw bad("anthropic-version: header is required")
        }
        let json = try ChatService.members(
            head, body, known: fields, malformed: bad("The request body is not valid JSON")
        ) { bad("\($0): Extra inputs are not permitted") }
        guard let model = json["model"]?.string else { throw bad("model: Field required") }
        guard let budget = json["max_tokens"]?.int, budget > 0 else { throw bad("max_tokens: Field required") }
        let messages = try (json["messages"]?.array ?? []).map { message -> ChatRequest.Message in
            guard message.members?.count == 2, let role = message["role"]?.string,
                let role = ChatRequest.Message.Role(rawValue: role), let text = message["content"]?.string,
                !text.isEmpty
            else { throw bad("messages: Input should be 'user' or 'assistant', with text") }
            return .init(role, text)
        }
        guard messages.first?.role == .user else { throw bad("messages: first message must use the \"user\" role") }
        var temperature: Double?
        switch json["temperature"] {
        case nil: break
        case .int(let value)? where (0...1).contains(value): temperature = Double(value)
        case .number(let value)? where (0...1).contains(value): temperature = value
        default: throw bad("temperature: range: 0..1")
        }
        var (form, schema): (ChatQuestion.Form, JSONTree?) = (.none, nil)
        if let config = json["output_config"] {
            guard formats else { throw bad("output_config: Extra inputs are not permitted") }
            guard config["format"]?["type"]?.string == "json_schema", let given = config["format"]?["schema"] else {
                throw bad("output_config.format: Field required")
            }
            (form, schema) = (.schema, given)
        } else if let tool = json["tools"]?.array?.first {
            guard let name = tool["name"]?.string, let given = tool["input_schema"],
                json["tool_choice"]?["type"]?.string == "tool", json["tool_choice"]?["name"]?.string == name
            else { throw bad("tools.0.input_schema: Field required") }
            (form, schema) = (.tool, given)
        }
        if let schema, let objection = SchemaRules.objection(to: schema) {
            throw bad("output_config.format: \(objection)")
        }
        return ChatQuestion(
            number: 0, model: model, system: json["system"]?.string ?? "", messages: messages, form: form,
            schema: schema,
            maximumTokens: budget, temperature: temperature)
    }

    @Sendable private static func message(_ reply: ChatStandInReply, _ question: ChatQuestion) -> JSONTree {
        var text = ""
        var stop = question.form == .tool ? "tool_use" : "end_turn"
        switch reply {
        case .text(let answer): text = answer
        case .cutOff(let answer): (text, stop) = (answer, "max_tokens")
        case .refusal, .filtered: stop = "refusal"
        }
        let block: JSONTree =
            question.form == .tool
            ? [
                "type": "tool_use", "id": "toolu_1", "name": "call_insights",
                "input": .verbatim(text.isEmpty ? "{}" : text),
            ]
            : ["type": "text", "text": .string(text)]
        return [
            "id": .string("msg_\(question.number)"), "type": "message", "role": "assistant",
            "model": .string(question.model + "-20251001"), "content": [block], "stop_reason": .string(stop),
            "stop_sequence": .null, "usage": ["input_tokens": .int(100), "output_tokens": .int(text.count / 4)],
        ]
    }
}
