/// What a server that speaks as OpenAI does is known to take.
struct OpenAIDialect: Sendable, Equatable {
    /// How it is told what the answer must look like, the best first.
    enum Form: Sendable { case schema, object, prompt }
    var form: Form = .schema
    /// `max_tokens` is what it was called before, and what many servers know.
    var budgetName = "max_completion_tokens"
    /// Models that think first take no other than their own.
    var sendsTemperature = true

    /// Steps down by an objection to a request.
    ///
    /// - Returns: whether there is anything else to try.
    mutating func adapt(to complaint: ServiceComplaint, _ request: ChatRequest) -> Bool {
        if complaint.mentions(budgetName), budgetName != "max_tokens" {
            budgetName = "max_tokens"
            return true
        }
        if complaint.mentions("temperature"), sendsTemperature {
            sendsTemperature = false
            return true
        }
        guard request.format != nil, form != .prompt else { return false }
        // Some say nothing that could be understood; but what is about another parameter will not go away.
        let isAboutForm = ["response_format", "json_schema", "json_object", "schema", "grammar", "format"].contains {
            complaint.mentions($0)
        }
        guard isAboutForm || complaint.parameter == nil && !complaint.mentions("model") else { return false }
        form = form == .schema ? .object : .prompt
        return true
    }

    func body(_ request: ChatRequest, model: String) -> JSONTree {
        var system = request.system
        if let format = request.format, form != .schema { system += format.instruction }
        var members: [JSONTree.Member] = [
            .init("model", .string(model)),
            .init(
                "messages",
                .array(
                    [["role": "system", "content": .string(system)]]
                        + request.messages.map { ["role": .string($0.role.rawValue), "content": .string($0.text)] })),
            .init(budgetName, .int(request.maximumTokens)),
        ]
        if sendsTemperature { members.append(.init("temperature", .number(request.temperature))) }
        if let format = request.format {
            switch form {
            case .schema:
                members.append(
                    .init(
                        "response_format",
                        [
                            "type": "json_schema",
                            "json_schema": [
                                "name": .string(format.name), "strict": .bool(true), "schema": .verbatim(format.schema),
                            ],
                        ]))
            case .object: members.append(.init("response_format", ["type": "json_object"]))
            case .prompt: break
            }
        }
        return .object(members)
    }
}

extension ChatRequest.Format {
    /// The same in words, for models that take no schema.
    var instruction: String {
        "\n\nAnswer with one JSON object and nothing else: no words before or after it. It must match this JSON Schema:\n"
            + schema
    }
}
