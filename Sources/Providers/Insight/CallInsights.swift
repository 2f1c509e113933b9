/// What a call was about, and what follows from it.
public struct CallInsights: Codable, Sendable, Equatable {
    /// A few sentences; empty for a call in which nothing is said.
    public var summary: String
    public var sentiment: Sentiment
    /// In order of their weight.
    public var topics: [String]
    public var actionItems: [ActionItem]
    public var entities: [Entity]
    /// What is to happen next; `nil` if nothing was agreed on.
    public var nextStep: String?
    /// Who wrote it, with the model: "openai:gpt-4o-mini", "extractive".
    public var engine: String
    /// The model's own name for itself; `nil` without one.
    public var model: String?
    public var method: Method
    public var usage: ChatUsage

    /// How it came about.
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// A language model wrote it.
        case model
        /// Sentences and phrases of the transcript, chosen by rules: each is there word for word.
        case extractive
    }

    /// The mood of the customer, or of all.
    public struct Sentiment: Codable, Sendable, Equatable {
        public enum Label: String, Codable, Sendable, CaseIterable {
            case positive, neutral, negative, mixed
            /// There is too little to go by.
            case unknown
        }
        public var label: Label
        /// -1 for the worst to 1 for the best.
        public var score: Double

        public init(label: Label, score: Double) {
            self.label = label
            self.score = score
        }

        public static let unknown = Sentiment(label: .unknown, score: 0)
    }

    /// Something that somebody said would be done.
    public struct ActionItem: Codable, Sendable, Equatable {
        /// Who does it, as the transcript names them; `nil` if that is open.
        public var owner: String?
        public var text: String
        /// Until when, as it was said: "Friday".
        public var due: String?

        public init(owner: String?, text: String, due: String?) {
            self.owner = owner
            self.text = text
            self.due = due
        }
    }

    /// A person, number or other thing that was named.
    public struct Entity: Codable, Sendable, Hashable {
        public enum Kind: String, Codable, Sendable, CaseIterable {
            case person, organization, location, product, phone, email, url, amount, date, identifier, other
            /// By its capital letter alone: a person, a company, a place.
            case name
        }
        public var type: Kind
        /// As it was said.
        public var text: String

        public init(type: Kind, text: String) {
            self.type = type
            self.text = text
        }
    }

    public init(
        summary: String, sentiment: Sentiment, topics: [String], actionItems: [ActionItem], entities: [Entity],
        nextStep: String?, engine: String, model: String?, method: Method, usage: ChatUsage
    ) {
        self.summary = summary
        self.sentiment = sentiment
        self.topics = topics
        self.actionItems = actionItems
        self.entities = entities
        self.nextStep = nextStep
        self.engine = engine
        self.model = model
        self.method = method
        self.usage = usage
    }

    /// Of a call in which nothing is said.
    static let empty = CallInsights(
        summary: "", sentiment: .unknown, topics: [], actionItems: [], entities: [], nextStep: nil,
        engine: "extractive", model: nil, method: .extractive, usage: ChatUsage())
}
