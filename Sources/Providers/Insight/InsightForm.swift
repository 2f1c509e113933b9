import FoundationEssentials

/// What a model is asked to fill in: the part of ``CallInsights`` that is about the call.
struct InsightForm: Decodable, Sendable, Equatable {
    var summary: String
    var sentiment: Sentiment
    var topics: [String]
    var action_items: [ActionItem]
    var entities: [Entity]
    var next_step: String?

    struct Sentiment: Decodable, Sendable, Equatable {
        var label: CallInsights.Sentiment.Label
        var score: Double

        enum CodingKeys: String, CodingKey, CaseIterable { case label, score }

        init(from decoder: any Decoder) throws {
            try decoder.refuseMembers(besides: CodingKeys.allCases)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            label = try values.decode(CallInsights.Sentiment.Label.self, forKey: .label)
            score = try values.decode(Double.self, forKey: .score)
        }
    }

    struct ActionItem: Decodable, Sendable, Equatable {
        var owner: String?
        var text: String
        var due: String?

        enum CodingKeys: String, CodingKey, CaseIterable { case owner, text, due }

        init(from decoder: any Decoder) throws {
            try decoder.refuseMembers(besides: CodingKeys.allCases)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            // Null says something; to leave it out does not.
            owner = try values.decode(String?.self, forKey: .owner)
            text = try values.decode(String.self, forKey: .text)
            due = try values.decode(String?.self, forKey: .due)
        }
    }

    struct Entity: Decodable, Sendable, Equatable {
        var type: CallInsights.Entity.Kind
        var text: String

        enum CodingKeys: String, CodingKey, CaseIterable { case type, text }

        init(from decoder: any Decoder) throws {
            try decoder.refuseMembers(besides: CodingKeys.allCases)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            type = try values.decode(CallInsights.Entity.Kind.self, forKey: .type)
            text = try values.decode(String.self, forKey: .text)
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case summary, sentiment, topics, action_items, entities, next_step
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseMembers(besides: CodingKeys.allCases)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        summary = try values.decode(String.self, forKey: .summary)
        sentiment = try values.decode(Sentiment.self, forKey: .sentiment)
        topics = try values.decode([String].self, forKey: .topics)
        action_items = try values.decode([ActionItem].self, forKey: .action_items)
        entities = try values.decode([Entity].self, forKey: .entities)
        next_step = try values.decode(String?.self, forKey: .next_step)
    }

    /// Reads and checks an answer.
    ///
    /// - Throws: ``AnswerFaults``.
    static func read(_ json: [UInt8]) throws(AnswerFaults) -> InsightForm {
        let form = try JSONDecoder.answer(InsightForm.self, from: json)
        var faults: [String] = []
        func check(_ isRight: Bool, _ fault: String) { if !isRight { faults.append(fault) } }
        check(!form.summary.isBlank, "summary is empty")
        check(form.summary.count <= 6000, "summary is longer than 6000 characters")
        check((-1...1).contains(form.sentiment.score), "sentiment.score is not -1 to 1")
        check(
            form.topics.allSatisfy { !$0.isBlank && $0.count <= 120 }, "a topic is empty or longer than 120 characters")
        check(form.topics.count <= 20, "there are more than 20 topics")
        check(form.action_items.allSatisfy { !$0.text.isBlank }, "the text of an action item is empty")
        check(form.action_items.count <= 100, "there are more than 100 action items")
        check(form.entities.allSatisfy { !$0.text.isBlank }, "the text of an entity is empty")
        check(form.entities.count <= 300, "there are more than 300 entities")
        guard faults.isEmpty else { throw AnswerFaults(faults) }
        return form
    }

    /// The form as a schema: objects closed, all members required.
    static let schema: String = {
        func names(_ values: [String]) -> JSONTree { .array(values.map { .string($0) }) }
        func object(_ members: KeyValuePairs<String, JSONTree>) -> JSONTree {
            [
                "type": "object", "additionalProperties": .bool(false), "required": names(members.map(\.key)),
                "properties": .object(members.map { .init($0.key, $0.value) }),
            ]
        }
        func text(_ description: String, isOptional: Bool = false) -> JSONTree {
            ["type": isOptional ? ["string", "null"] : "string", "description": .string(description)]
        }
        func list(_ items: JSONTree) -> JSONTree { ["type": "array", "items": items] }
        return object([
            "summary": text("Two to five sentences on what the call was about and how it ended."),
            "sentiment": object([
                "label": ["type": "string", "enum": names(CallInsights.Sentiment.Label.allCases.map(\.rawValue))],
                "score": ["type": "number", "description": "-1 for the worst to 1 for the best mood; 0 if unknown."],
            ]),
            "topics": list(text("A topic in one to four words; at most eight, the weightiest first.")),
            "action_items": list(
                object([
                    "owner": text("Who does it, as the transcript names them.", isOptional: true),
                    "text": text("What is to be done."),
                    "due": text("Until when, as it was said.", isOptional: true),
                ])),
            "entities": list(
                object([
                    "type": ["type": "string", "enum": names(CallInsights.Entity.Kind.allCases.map(\.rawValue))],
                    "text": text("As it was said."),
                ])),
            "next_step": text("The one thing that is to happen next, if any was agreed on.", isOptional: true),
        ]).text
    }()

    /// As JSON, for a model that combines several.
    var json: JSONTree {
        func optional(_ text: String?) -> JSONTree { text.map { .string($0) } ?? .null }
        return [
            "summary": .string(summary),
            "sentiment": ["label": .string(sentiment.label.rawValue), "score": .number(sentiment.score)],
            "topics": .array(topics.map { .string($0) }),
            "action_items": .array(
                action_items.map { ["owner": optional($0.owner), "text": .string($0.text), "due": optional($0.due)] }),
            "entities": .array(entities.map { ["type": .string($0.type.rawValue), "text": .string($0.text)] }),
            "next_step": optional(next_step),
        ]
    }
}

extension StringProtocol {
    var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
