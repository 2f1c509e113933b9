/// A language model that is asked and answers with text, or with JSON by a schema.
public protocol ChatModel: Sendable {
    /// With the model: "openai:gpt-4o-mini".
    var engineName: String { get }

    /// Asks once.
    ///
    /// - Throws: ``ProviderError``: `refused` for refusals and filters, `badAnswer` for an answer that was cut off or does not
    ///   fit the protocol. Whether JSON fits its schema is the caller's to check.
    func complete(_ request: ChatRequest) async throws -> ChatAnswer
}

/// What a model is asked.
public struct ChatRequest: Sendable, Equatable {
    /// What the model is to be and do.
    public var system: String
    /// In order; the first is the user's, and they take turns.
    public var messages: [Message]
    /// What the answer must look like; `nil` for text.
    public var format: Format?
    /// Tokens of the answer at most.
    public var maximumTokens: Int
    /// 0 for the likeliest answer each time.
    public var temperature: Double

    public struct Message: Sendable, Equatable {
        public enum Role: String, Sendable { case user, assistant }
        public var role: Role
        public var text: String

        public init(_ role: Role, _ text: String) {
            self.role = role
            self.text = text
        }
    }

    /// JSON of a form.
    public struct Format: Sendable, Equatable {
        /// Letters, digits, `_` and `-`; 64 at most.
        public var name: String
        /// A JSON Schema, as JSON: every object closed, all its properties required.
        public var schema: String

        public init(name: String, schema: String) {
            self.name = name
            self.schema = schema
        }
    }

    public init(
        system: String, messages: [Message], format: Format? = nil, maximumTokens: Int = 4096, temperature: Double = 0
    ) {
        self.system = system
        self.messages = messages
        self.format = format
        self.maximumTokens = maximumTokens
        self.temperature = temperature
    }
}

/// What a model answered.
public struct ChatAnswer: Sendable, Equatable {
    public var text: String
    /// The model's own name for itself, as the answer gave it.
    public var model: String
    public var inputTokens: Int
    public var outputTokens: Int

    public init(text: String, model: String, inputTokens: Int, outputTokens: Int) {
        self.text = text
        self.model = model
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
