import JobQueue

/// Reads the query of a request as its route's parameters say.
enum QueryReader {
    /// - Throws: 400 for a parameter that is not known, comes twice or is not acceptable.
    static func read(
        _ query: String?, _ parameters: [Route.Parameter], in document: JSONValue
    ) throws(Problem) -> [String: [JSONValue]] {
        let known = parameters.filter { $0.place == .query }
        var values: [String: [JSONValue]] = [:]
        for (name, text) in try PercentDecoding.query(query) {
            guard let parameter = known.first(where: { $0.name == name }) else {
                throw .parameter(
                    name, "there is no such parameter" + Spelling.suggestion(for: name, among: known.map(\.name)))
            }
            if !parameter.isList, values[name] != nil { throw .parameter(name, "it comes twice") }
            let texts = parameter.isList ? text.split(separator: ",").map(String.init) : [text]
            let schema = parameter.isList ? parameter.schema["items"] ?? parameter.schema : parameter.schema
            for text in texts {
                let value = Self.value(text, schema["type"]?.string)
                if let problem = JSONSchema(schema, in: document).problems(in: value).first {
                    throw .parameter(name, problem.detail)
                }
                values[name, default: []].append(value)
            }
        }
        return values
    }

    private static func value(_ text: String, _ type: String?) -> JSONValue {
        switch type {
        case "integer": Int64(text).map { .integer($0) } ?? .string(text)
        case "boolean": text == "true" ? .bool(true) : text == "false" ? .bool(false) : .string(text)
        default: .string(text)
        }
    }
}
