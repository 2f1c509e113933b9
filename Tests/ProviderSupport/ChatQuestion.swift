package import Providers

/// What a stand-in for a model was asked.
package struct ChatQuestion: Sendable {
    /// From 1, of those that were well formed.
    package var number: Int
    package var model: String
    package var system: String
    package var messages: [ChatRequest.Message]
    package var form: Form
    package var schema: JSONTree?
    package var maximumTokens: Int
    /// `nil` where it was not sent.
    package var temperature: Double?

    /// How the answer's form was asked for.
    package enum Form: Sendable, Equatable { case none, schema, object, tool }

    /// The last of the user's messages.
    package var prompt: String { messages.last?.text ?? "" }

    /// What stands between the marks of a name: "transcript".
    package func marked(_ name: String) -> String? {
        guard let open = prompt.firstRange(of: "<\(name)-"), let end = prompt[open.upperBound...].firstIndex(of: ">")
        else {
            return nil
        }
        let number = prompt[open.upperBound..<end]
        guard let close = prompt.firstRange(of: "</\(name)-\(number)>") else { return nil }
        return String(prompt[prompt.index(after: end)..<close.lowerBound].drop { $0 == "\n" })
    }
}

/// What a stand-in for a model answers.
package enum ChatStandInReply: Sendable {
    case text(String)
    /// As much as the budget allowed.
    case cutOff(String)
    case refusal(String)
    /// By the service, not by the model.
    case filtered
}

/// Answers that are made of the question.
package enum ChatAnswers {
    /// The form on a call: of a transcript its first line as the summary, promises as action items; of notes their
    /// summaries in a row.
    package static func insights(_ question: ChatQuestion) -> ChatStandInReply {
        if let notes = question.marked("notes") {
            let forms = notes.split(separator: "\n").compactMap { try? JSONTree(parsing: Array($0.utf8)) }
            let summary = forms.compactMap { $0["summary"]?.string }.joined(separator: " ")
            let actions = forms.flatMap { $0["action_items"]?.array ?? [] }
            return .text(form(summary: summary, actions: actions).text)
        }
        let lines = (question.marked("transcript") ?? "").split(separator: "\n").map(String.init)
        let said = lines.map(Self.said)
        let actions = said.filter { $0.text.contains("I'll") }.map { line -> JSONTree in
            ["owner": line.speaker.map { .string($0) } ?? .null, "text": .string(line.text), "due": .null]
        }
        return .text(form(summary: said.first?.text ?? "", actions: actions).text)
    }

    /// "[0:07] Agent: Hello" in its parts.
    private static func said(_ line: String) -> (speaker: String?, text: String) {
        let rest = line.firstRange(of: "] ").map { String(line[$0.upperBound...]) } ?? line
        guard let colon = rest.firstRange(of: ": "), rest[..<colon.lowerBound].count < 20 else { return (nil, rest) }
        return (String(rest[..<colon.lowerBound]), String(rest[colon.upperBound...]))
    }

    /// A whole form.
    package static func form(summary: String, actions: [JSONTree] = []) -> JSONTree {
        [
            "summary": .string(summary), "sentiment": ["label": "neutral", "score": .int(0)],
            "topics": .array(summary.split(separator: " ").prefix(1).map { .string(String($0)) }),
            "action_items": .array(actions), "entities": [], "next_step": .null,
        ]
    }

    /// Each segment in its place, in capital letters.
    package static func translation(_ question: ChatQuestion) -> ChatStandInReply {
        let segments = (try? JSONTree(parsing: Array((question.marked("segments") ?? "").utf8)))?.array ?? []
        let translated = segments.map { segment -> JSONTree in
            ["id": segment["id"] ?? .null, "text": .string((segment["text"]?.string ?? "").uppercased())]
        }
        let answer: JSONTree = ["segments": .array(translated)]
        return .text(answer.text)
    }
}
