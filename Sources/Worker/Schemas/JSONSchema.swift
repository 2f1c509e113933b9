import JobQueue

/// A JSON Schema, as far as payloads need one.
/// https://json-schema.org/draft/2020-12
struct JSONSchema: Sendable, Equatable {
    /// Its keywords.
    var keywords: [String: JSONValue]

    init(_ keywords: [String: JSONValue]) { self.keywords = keywords }

    static let string = JSONSchema(["type": "string"])
    static let boolean = JSONSchema(["type": "boolean"])
    static let integer = JSONSchema(["type": "integer"])
    static let number = JSONSchema(["type": "number"])
    /// Anything.
    static let any = JSONSchema([:])

    static func names(_ names: [String]) -> JSONSchema {
        JSONSchema(["type": "string", "enum": .array(names.map { .string($0) })])
    }

    static func array(of items: JSONSchema) -> JSONSchema {
        JSONSchema(["type": "array", "items": items.json])
    }

    static func oneOf(_ choices: [JSONSchema]) -> JSONSchema {
        JSONSchema(["oneOf": .array(choices.map(\.json))])
    }

    /// An object with these members and no others.
    static func object(_ properties: [String: JSONSchema], required: [String] = []) -> JSONSchema {
        var schema = JSONSchema([
            "type": "object", "properties": .object(properties.mapValues(\.json)), "additionalProperties": false,
        ])
        if !required.isEmpty { schema.keywords["required"] = .array(required.sorted().map { .string($0) }) }
        return schema
    }

    /// The same, or null, which stands for a member that is left out.
    var orNull: JSONSchema {
        var schema = self
        if case .string(let type)? = keywords["type"] {
            schema.keywords["type"] = [.string(type), "null"]
            if case .array(let names)? = keywords["enum"] { schema.keywords["enum"] = .array(names + [nil]) }
            return schema
        }
        return keywords.isEmpty ? self : JSONSchema(["anyOf": [json, ["type": "null"]]])
    }

    func adding(_ more: [String: JSONValue]) -> JSONSchema {
        JSONSchema(keywords.merging(more) { $1 })
    }

    /// The members of an object's schema, and which of them must be there.
    var members: (properties: [String: JSONValue], required: [String]) {
        var properties: [String: JSONValue] = [:]
        if case .object(let found)? = keywords["properties"] { properties = found }
        var required: [String] = []
        if case .array(let found)? = keywords["required"] { required = found.compactMap(\.string) }
        return (properties, required)
    }

    var json: JSONValue { .object(keywords) }
}
