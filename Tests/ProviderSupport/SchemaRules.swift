import Providers

/// What services demand of a schema that answers are to keep to strictly.
/// https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
enum SchemaRules {
    /// What is wrong with a schema; `nil` if it can be kept to.
    static func objection(to schema: JSONTree, at path: String = "schema") -> String? {
        guard let members = schema.members else { return "\(path) is no object" }
        let known = ["type", "properties", "required", "additionalProperties", "items", "enum", "description", "anyOf"]
        if let odd = members.first(where: { !known.contains($0.name) }) {
            return "\(path): \(odd.name) is not supported"
        }
        let types = schema["type"]?.string.map { [$0] } ?? schema["type"]?.array?.compactMap(\.string) ?? []
        guard !types.isEmpty || schema["anyOf"] != nil else { return "\(path) has no type" }
        if types.contains("object") {
            guard schema["additionalProperties"] == .bool(false) else {
                return "\(path): 'additionalProperties' is required to be supplied and to be false"
            }
            let properties = schema["properties"]?.members ?? []
            let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
            guard required == Set(properties.map(\.name)) else {
                return "\(path): 'required' is required to include every key in properties"
            }
            for property in properties {
                if let fault = objection(to: property.value, at: "\(path).\(property.name)") { return fault }
            }
        }
        if types.contains("array") {
            guard let items = schema["items"] else { return "\(path) has no items" }
            return objection(to: items, at: "\(path)[]")
        }
        return nil
    }
}
