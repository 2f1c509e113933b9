import Providers
package import Transfer
import TransferTestSupport

/// The chat completions of OpenAI, or of a server that knows less: strict about what it is sent.
///
/// Thread-safe.
package final class OpenAIChatStandIn: Sendable {
    /// What a server takes.
    package struct Abilities: Sendable {
        package var schemas = true
        package var objects = true
        /// `max_completion_tokens`.
        package var newBudget = true
        package var temperature = true

        package init(schemas: Bool = true, objects: Bool = true, newBudget: Bool = true, temperature: Bool = true) {
            self.schemas = schemas
            self.objects = objects
            self.newBudget = newBudget
            self.temperature = temperature
        }
    }

    private let service: ChatService

    /// - Parameter key: `nil` for a server that wants none.
    package init(
        key: String? = "sk-test-0123456789", abilities: Abilities = Abilities(),
        answer: @escaping @Sendable (ChatQuestion) -> ChatStandInReply
    ) throws {
        service = try ChatService(
            .init(
                requestIDHeader: "x-request-id",
                question: { try OpenAIChatStandIn.question($0, $1, key: key, abilities) },
                answer: OpenAIChatStandIn.completion,
                objection: {
                    .openAI($0.status, $0.message, type: $0.type, code: $0.code, parameter: $0.parameter)
                }), answer: answer)
    }

    package var faults: ServiceFaults { service.faults }
    /// Up to and with the version.
    package var baseURL: HTTPURL { get throws { try HTTPURL(service.url("/v1")) } }
    /// Those that were well formed.
    package var questions: [ChatQuestion] { service.questions }
    /// All that came, also what was objected to.
    package var requests: Int { service.requests }

    private static let fields: Set<String> = [
        "model", "messages", "response_format", "temperature", "max_completion_tokens", "max_tokens", "seed", "stream",
        "store", "top_p", "stop", "user",
    ]

    private static func question(
        _ head: RawRequest, _ body: [UInt8], key: String?, _ abilities: Abilities
    ) throws -> ChatQuestion {
        func bad(_ message: String, _ parameter: String? = nil, code: String? = nil) -> ServiceObjection {
            ServiceObjection(status: 400, message: message, parameter: parameter, code: code)
        }
        guard head.method == "POST", head.target == "/v1/chat/completions" else {
            throw ServiceObjection(status: 404, message: "Invalid URL (\(head.method) \(head.path))")
        }
        guard head.headers["Authorization"] == key.map({ "Bearer \($0)" }), head.headers["x-api-key"] == nil else {
            throw ServiceObjection(
                status: 401, message: "Incorrect API key provided: \(head.headers["Authorization"] ?? "none").",
                code: "invalid_api_key")
        }
        let json = try ChatService.members(
            head, body, known: fields, malformed: bad("We could not parse the JSON body of your request.")
        ) { bad("Unrecognized request argument supplied: \($0)", $0) }
        guard let model = json["model"]?.string else { throw bad("you must provide a model parameter", "model") }
        var messages = try (json["messages"]?.array ?? []).map { message -> (String, String) in
            guard message.members?.count == 2, let role = message["role"]?.string,
                let text = message["content"]?.string,
                ["system", "user", "assistant"].contains(role)
            else { throw bad("Invalid message", "messages") }
            return (role, text)
        }
        guard !messages.isEmpty else { throw bad("Missing required parameter: 'messages'.", "messages") }
        if json["max_completion_tokens"] != nil, !abilities.newBudget {
            throw bad("Unsupported parameter: 'max_completion_tokens'", "max_completion_tokens")
        }
        guard json["max_tokens"] == nil || !abilities.newBudget else {
            throw bad("Unsupported parameter: 'max_tokens'", "max_tokens")
        }
        guard let budget = (json["max_completion_tokens"] ?? json["max_tokens"])?.int else {
            throw bad("the tokens are no number", "max_tokens")
        }
        var temperature: Double?
        switch json["temperature"] {
        case nil: break
        case .some where !abilities.temperature:
            throw bad("Unsupported value: 'temperature' does not support 0.", "temperature", code: "unsupported_value")
        case .int(let value)?: temperature = Double(value)
        case .number(let value)?: temperature = value
        default: throw bad("Invalid type for 'temperature'", "temperature")
        }
        let system = messages.first?.0 == "system" ? messages.removeFirst().1 : ""
        let (form, schema) = try form(json["response_format"], abilities, prompts: [system] + messages.map(\.1))
        return ChatQuestion(
            number: 0, model: model, system: system,
            messages: messages.map { .init($0.0 == "user" ? .user : .assistant, $0.1) }, form: form, schema: schema,
            maximumTokens: budget, temperature: temperature)
    }

    private static func form(
        _ format: JSONTree?, _ abilities: Abilities, prompts: [String]
    ) throws -> (ChatQuestion.Form, JSONTree?) {
        guard let format else { return (.none, nil) }
        func bad(_ message: String) -> ServiceObjection {
            ServiceObjection(status: 400, message: message, parameter: "response_format")
        }
        switch format["type"]?.string {
        case "json_object":
            guard abilities.objects else { throw bad("'response_format.type' must be 'text'") }
            guard prompts.contains(where: { $0.lowercased().contains("json") }) else {
                throw bad("'messages' must contain the word 'json' in some form")
            }
            return (.object, nil)
        case "json_schema":
            guard abilities.schemas else { throw bad("This model does not support 'json_schema'") }
            guard let form = format["json_schema"], let name = form["name"]?.string, (1...64).contains(name.count),
                let schema = form["schema"]
            else { throw bad("Missing required parameter in 'response_format.json_schema'") }
            guard form["strict"] == .bool(true) else { throw bad("the schema is not strict") }
            if let objection = SchemaRules.objection(to: schema) {
                throw bad("Invalid schema for response_format '\(name)': \(objection)")
            }
            return (.schema, schema)
        default: throw bad("Invalid value for 'response_format.type'")
        }
    }

    @Sendable private static func completion(_ reply: ChatStandInReply, _ question: ChatQuestion) -> JSONTree {
        var (content, refusal, finish): (JSONTree, JSONTree, JSONTree) = (.null, .null, "stop")
        switch reply {
        case .text(let text): content = .string(text)
        case .cutOff(let text): (content, finish) = (.string(text), "length")
        case .refusal(let text): refusal = .string(text)
        case .filtered: (content, finish) = ("", "content_filter")
        }
        let asked = (question.system.count + question.messages.reduce(0) { $0 + $1.text.count }) / 4
        let answered = (content.string?.count ?? 0) / 4
        return [
            "id": .string("chatcmpl-\(question.number)"), "object": "chat.completion", "created": .int(1_700_000_000),
            "model": .string(question.model + "-2024-07-18"),
            "choices": [
                [
                    "index": .int(0), "finish_reason": finish, "logprobs": .null,
                    "message": ["role": "assistant", "content": content, "refusal": refusal],
                ]
            ],
            "usage": [
                "prompt_tokens": .int(asked), "completion_tokens": .int(answered),
                "total_tokens": .int(asked + answered),
            ],
        ]
    }
}
