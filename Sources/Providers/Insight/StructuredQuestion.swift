import FoundationEssentials

/// What a model's answer of a form lacks, in words for the model.
struct AnswerFaults: Error, Sendable, Equatable {
    var faults: [String]

    init(_ faults: [String]) { self.faults = faults }
    init(_ fault: String) { faults = [fault] }
}

/// What asking took.
public struct ChatUsage: Codable, Sendable, Equatable {
    /// Questions that were answered, repairs included.
    public var requests: Int
    public var inputTokens: Int
    public var outputTokens: Int

    public init(requests: Int = 0, inputTokens: Int = 0, outputTokens: Int = 0) {
        self.requests = requests
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }

    mutating func add(_ answer: ChatAnswer) {
        requests += 1
        inputTokens += answer.inputTokens
        outputTokens += answer.outputTokens
    }

    mutating func add(_ other: ChatUsage) {
        requests += other.requests
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
    }
}

/// A question whose answer is JSON of a form. The answer is read here whatever the service promises, and one that does
/// not fit is shown to the model once, with what is wrong with it.
struct StructuredQuestion<Value: Sendable>: Sendable {
    var request: ChatRequest
    /// Throws ``AnswerFaults``.
    var read: @Sendable (_ json: [UInt8]) throws -> Value

    struct Answer: Sendable {
        var value: Value
        var model: String
        var usage: ChatUsage
    }

    /// - Throws: ``ProviderError``: `badAnswer` if the second answer does not fit either.
    func ask(_ model: any ChatModel) async throws -> Answer {
        var usage = ChatUsage()
        let first = try await model.complete(request)
        usage.add(first)
        let faults: AnswerFaults
        do {
            return Answer(value: try read(Self.json(in: first.text)), model: first.model, usage: usage)
        } catch let found as AnswerFaults {
            faults = found
        }
        var repair = request
        repair.messages.append(.init(.assistant, first.text.isEmpty ? "(nothing)" : first.text))
        repair.messages.append(
            .init(
                .user,
                "That answer does not have the form that was asked for:\n"
                    + faults.faults.prefix(20).map { "- \($0)\n" }.joined()
                    + "Answer again with the whole of it, corrected: the JSON object alone."))
        let second = try await model.complete(repair)
        usage.add(second)
        do {
            return Answer(value: try read(Self.json(in: second.text)), model: second.model, usage: usage)
        } catch let found as AnswerFaults {
            // Faults may quote the answer; how many there are must do here.
            throw ProviderError(
                .badAnswer,
                "the model's answer does not have the form that was asked for, after a repair as well (\(found.faults.count) faults)",
                provider: model.engineName, hint: "try again, or set KILN_CHAT_MODEL to a more capable model",
                isRetryable: true)
        }
    }

    /// The JSON of an answer, which may stand in a fence or among words where the service could not be told the form.
    static func json(in text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard let start = bytes.firstIndex(of: UInt8(ascii: "{")), let end = bytes.lastIndex(of: UInt8(ascii: "}")),
            start < end
        else { return bytes }
        return Array(bytes[start...end])
    }
}

extension JSONDecoder {
    /// Decodes an answer.
    ///
    /// - Throws: ``AnswerFaults``.
    static func answer<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws(AnswerFaults) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(json))
        } catch let error as DecodingError {
            throw AnswerFaults(error.fault)
        } catch let error as AnswerFaults {
            throw error
        } catch {
            throw AnswerFaults("it is not JSON")
        }
    }
}

extension DecodingError {
    /// Where and what, without values.
    fileprivate var fault: String {
        func path(_ keys: [any CodingKey]) -> String {
            keys.isEmpty
                ? "the object" : keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        switch self {
        case .keyNotFound(let key, let context): return "\(path(context.codingPath)) lacks \"\(key.stringValue)\""
        case .typeMismatch(let type, let context): return "\(path(context.codingPath)) is not a \(type)"
        case .valueNotFound(_, let context): return "\(path(context.codingPath)) is null"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty && context.underlyingError != nil
                ? "it is not whole, valid JSON" : "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default: return "it cannot be read"
        }
    }
}

/// A key of any name: to find those that a form does not have.
struct AnyName: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// - Throws: if the object has members besides those of the form, as a closed schema says.
    func refuseMembers(besides names: some Sequence<some CodingKey>) throws {
        let known = Set(names.map(\.stringValue))
        let unknown = try container(keyedBy: AnyName.self).allKeys.map(\.stringValue).filter { !known.contains($0) }
        guard unknown.isEmpty else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath,
                    debugDescription: "it has \(unknown.count) members that the form does not have"))
        }
    }
}
