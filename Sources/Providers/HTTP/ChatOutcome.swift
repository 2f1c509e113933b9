/// What one request to a model came to.
enum ChatOutcome: Sendable {
    case whole(ChatAnswer)
    /// The budget of tokens was used up.
    case cutOff(ChatAnswer, requestID: String?)
}

extension ChatRequest {
    /// Asks, and if the answer is cut off, once more with four times the tokens.
    ///
    /// - Throws: ``ProviderError`` of code `badAnswer` if that is cut off, too.
    func withGrowingBudget(
        provider: String, _ ask: (ChatRequest) async throws -> ChatOutcome
    ) async throws -> ChatAnswer {
        var used = ChatAnswer(text: "", model: "", inputTokens: 0, outputTokens: 0)
        var request = self
        var lastID: String?
        for _ in 0..<2 {
            switch try await ask(request) {
            case .whole(var answer):
                answer.inputTokens += used.inputTokens
                answer.outputTokens += used.outputTokens
                return answer
            case .cutOff(let answer, let requestID):
                used.inputTokens += answer.inputTokens
                used.outputTokens += answer.outputTokens
                lastID = requestID
                request.maximumTokens *= 4
            }
        }
        throw ProviderError(
            .badAnswer, "the answer was cut off, also with \(maximumTokens * 4) tokens", provider: provider,
            hint: "ask for less at a time, or take a model with longer answers", requestID: lastID)
    }

    /// - Throws: ``ProviderError`` of code `badRequest` for what no service takes.
    func validate(provider: String) throws(ProviderError) {
        func refuse(_ message: String) -> ProviderError { ProviderError(.badRequest, message, provider: provider) }
        guard messages.first?.role == .user, messages.last?.role == .user else {
            throw refuse("a conversation begins and ends with the user")
        }
        guard zip(messages, messages.dropFirst()).allSatisfy({ $0.role != $1.role }) else {
            throw refuse("user and assistant take turns in a conversation")
        }
        guard messages.allSatisfy({ !$0.text.isEmpty }) else { throw refuse("a message is empty") }
        guard (1...1_000_000).contains(maximumTokens) else { throw refuse("the tokens are not 1 to 1000000") }
        guard let format else { return }
        let isName = format.name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                || $0 == 0x5F
        }
        guard isName, (1...64).contains(format.name.utf8.count) else {
            throw refuse("the name of the answer's form is not 1 to 64 letters, digits, _ and -")
        }
        guard (try? JSONTree(parsing: Array(format.schema.utf8)))?.members != nil else {
            throw refuse("the schema of the answer's form is not a JSON object")
        }
    }
}

extension ProviderError {
    /// What a service will not do by its rules.
    init(refusal error: ProviderError) {
        self = error
        code = .refused
        isRetryable = false
        hint = "the service's rules of content do not allow it"
    }
}
