import Foundation
import JobQueue

/// Checks values against a JSON Schema (2020-12), as far as that says what shape a value has: `type`, `enum`, `const`,
/// `properties`, `required`, `additionalProperties`, `propertyNames`, `items`, `allOf`, `anyOf`, `oneOf`, `not`, `$ref`
/// within the document, lengths, counts, bounds, `pattern`, `uniqueItems`, and the formats `uuid`, `date-time` and
/// `uri`. What else a schema says is taken as a remark, as the standard has it for unknown keywords.
/// https://json-schema.org/draft/2020-12/json-schema-validation
struct JSONSchema: Sendable {
    /// Something that is not as the schema wants it.
    struct Problem: Sendable, Hashable {
        /// Where, as a JSON Pointer (RFC 6901); empty for the whole.
        var pointer: String
        var detail: String
    }

    private let schema: JSONValue
    private let document: JSONValue

    /// - Parameter document: what `$ref`s point into; by default the schema itself.
    init(_ schema: JSONValue, in document: JSONValue? = nil) {
        self.schema = schema
        self.document = document ?? schema
    }

    /// What one check may do and has done. However large a value, it is over once enough is wrong with it.
    struct Work: ~Copyable {
        /// Problems that may still be found; what is left of the value then is not looked at.
        fileprivate(set) var room = 20
        /// Unknown names for which the nearest known one may still be looked for.
        fileprivate(set) var suggestions = 3
        /// How often two words were compared.
        fileprivate(set) var comparisons = 0
        fileprivate var patterns: [String: Regex<AnyRegexOutput>] = [:]

        fileprivate mutating func suggestion(for name: String?, among names: [String]) -> String {
            guard suggestions > 0 else { return "" }
            suggestions -= 1
            return Spelling.suggestion(for: name, among: names, comparisons: &comparisons)
        }

        /// nil for what is no pattern.
        fileprivate mutating func regex(_ pattern: String) -> Regex<AnyRegexOutput>? {
            if let known = patterns[pattern] { return known }
            guard let regex = try? Regex(pattern) else { return nil }
            patterns[pattern] = regex
            return regex
        }
    }

    /// What is wrong with a value: nothing if the list is empty. Of many problems twenty.
    func problems(in value: JSONValue) -> [Problem] {
        var work = Work()
        return problems(in: value, &work)
    }

    /// The same, telling what it took.
    func problems(in value: JSONValue, _ work: inout Work) -> [Problem] {
        check(value, schema, at: "", depth: 0, &work)
    }

    /// - Returns: at most as many as there was room for, which is less by their number then.
    private func check(
        _ value: JSONValue, _ schema: JSONValue, at pointer: String, depth: Int, _ work: inout Work
    ) -> [Problem] {
        guard work.room > 0 else { return [] }
        let room = work.room
        let found = Array(allProblems(of: value, schema, at: pointer, depth: depth, &work).prefix(room))
        work.room = room - found.count
        return found
    }

    private func allProblems(
        of value: JSONValue, _ schema: JSONValue, at pointer: String, depth: Int, _ work: inout Work
    ) -> [Problem] {
        if schema == .bool(false) { return [Problem(pointer: pointer, detail: "nothing may stand here")] }
        // A schema that refers to itself without end says nothing.
        guard let keywords = schema.members, depth < 200 else { return [] }
        if let reference = keywords["$ref"]?.string {
            guard let target = resolve(reference) else { return [] }
            return check(value, target, at: pointer, depth: depth + 1, &work)
        }
        if let problem = typeProblem(value, keywords, at: pointer) { return [problem] }
        var problems: [Problem] = []
        func add(_ detail: String) { problems.append(Problem(pointer: pointer, detail: detail)) }
        if let constant = keywords["const"], !same(value, constant) { add("it must be \(text(constant))") }
        if let choices = keywords["enum"]?.elements, !choices.contains(where: { same(value, $0) }) {
            add(
                "it must be one of \(choices.map(text).joined(separator: ", "))"
                    + work.suggestion(for: value.string, among: choices.compactMap(\.string)))
        }
        switch value {
        case .object(let members):
            problems += object(members, keywords, at: pointer, depth: depth, &work)
        case .array(let elements):
            problems += array(elements, keywords, at: pointer, depth: depth, &work)
        case .string(let string):
            for detail in stringProblems(string, keywords, &work) { add(detail) }
        case .integer, .number:
            for detail in numberProblems(value, keywords) { add(detail) }
        case .null, .bool: break
        }
        return problems + combinations(value, keywords, at: pointer, depth: depth, &work)
    }

    // MARK: Types

    private func typeProblem(_ value: JSONValue, _ keywords: [String: JSONValue], at pointer: String) -> Problem? {
        guard let type = keywords["type"] else { return nil }
        let names = type.string.map { [$0] } ?? type.elements?.compactMap(\.string) ?? []
        guard !names.contains(where: { matches(value, $0) }) else { return nil }
        let expected = names.map { Self.article[$0] ?? $0 }.joined(separator: " or ")
        return Problem(pointer: pointer, detail: "it must be \(expected)")
    }

    private static let article = [
        "object": "an object", "array": "an array", "string": "a string", "number": "a number",
        "integer": "a whole number", "boolean": "true or false", "null": "null",
    ]

    private func matches(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.bool, "boolean"), (.null, "null"),
            (.integer, "number"), (.number, "number"), (.integer, "integer"):
            true
        case (.number(let number), "integer"): number.isWhole
        default: false
        }
    }

    // MARK: Objects and arrays

    private func object(
        _ members: [String: JSONValue], _ keywords: [String: JSONValue], at pointer: String, depth: Int,
        _ work: inout Work
    ) -> [Problem] {
        var problems: [Problem] = []
        let properties = keywords["properties"]?.members ?? [:]
        for name in keywords["required"]?.elements?.compactMap(\.string) ?? [] where members[name] == nil {
            problems.append(Problem(pointer: pointer, detail: "the key \(name.debugDescription) is missing"))
        }
        let known = properties.keys.sorted()
        for (name, member) in Self.inOrder(members) {
            guard problems.count < 20, work.room > 0 else { break }
            let place = pointer + "/" + Self.escaped(name)
            if let names = keywords["propertyNames"] {
                problems += check(.string(name), names, at: place, depth: depth + 1, &work)
            }
            if let property = properties[name] {
                problems += check(member, property, at: place, depth: depth + 1, &work)
            } else if let rest = keywords["additionalProperties"] {
                guard rest == .bool(false) else {
                    problems += check(member, rest, at: place, depth: depth + 1, &work)
                    continue
                }
                let suggestion = work.suggestion(for: name, among: known)
                problems.append(
                    Problem(pointer: place, detail: "there is no key \(name.debugDescription)\(suggestion)"))
            }
        }
        if let least = keywords["minProperties"]?.integer, members.count < least {
            problems.append(Problem(pointer: pointer, detail: "it must have at least \(least) keys"))
        }
        if let most = keywords["maxProperties"]?.integer, members.count > most {
            problems.append(Problem(pointer: pointer, detail: "it must have at most \(most) keys"))
        }
        return problems
    }

    /// By name, unless there are so many that order is not worth its price.
    private static func inOrder(_ members: [String: JSONValue]) -> [(key: String, value: JSONValue)] {
        members.count <= 1000 ? members.sorted { $0.key < $1.key } : Array(members)
    }

    private func array(
        _ elements: [JSONValue], _ keywords: [String: JSONValue], at pointer: String, depth: Int,
        _ work: inout Work
    ) -> [Problem] {
        var problems: [Problem] = []
        if let items = keywords["items"] {
            for (index, element) in elements.enumerated() {
                guard work.room > 0 else { break }
                problems += check(element, items, at: "\(pointer)/\(index)", depth: depth + 1, &work)
            }
        }
        if let least = keywords["minItems"]?.integer, elements.count < least {
            problems.append(Problem(pointer: pointer, detail: "it must have at least \(least) elements"))
        }
        if let most = keywords["maxItems"]?.integer, elements.count > most {
            problems.append(Problem(pointer: pointer, detail: "it must have at most \(most) elements"))
        }
        if keywords["uniqueItems"] == .bool(true), Set(elements).count < elements.count {
            problems.append(Problem(pointer: pointer, detail: "an element comes twice"))
        }
        return problems
    }

    // MARK: Strings and numbers

    private func stringProblems(
        _ string: String, _ keywords: [String: JSONValue], _ work: inout Work
    ) -> [String] {
        var problems: [String] = []
        let length = string.unicodeScalars.count
        if let least = keywords["minLength"]?.integer, length < least {
            problems.append(least == 1 ? "it must not be empty" : "it must have at least \(least) characters")
        }
        if let most = keywords["maxLength"]?.integer, length > most {
            problems.append("it must have at most \(most) characters")
        }
        if let pattern = keywords["pattern"]?.string, let regex = work.regex(pattern),
            (try? regex.firstMatch(in: string)) == nil
        {
            problems.append("it must match \(pattern)")
        }
        switch keywords["format"]?.string {
        case "uuid" where UUID(uuidString: string) == nil: problems.append("it must be a UUID")
        case "date-time" where QueueJSON.date(from: string) == nil:
            problems.append("it must be a time such as 2026-03-01T12:00:00Z")
        case "uri" where !Self.isURI(string): problems.append("it must be an absolute URL")
        default: break
        }
        return problems
    }

    private static func isURI(_ text: String) -> Bool {
        let scheme = text.prefix { $0 != ":" }
        return scheme.first?.isLetter == true && scheme.utf8.count < text.utf8.count - 1
            && scheme.utf8.allSatisfy { $0 < 0x80 } && !text.contains(where: \.isWhitespace)
    }

    private func numberProblems(_ value: JSONValue, _ keywords: [String: JSONValue]) -> [String] {
        guard let number = value.double else { return [] }
        var problems: [String] = []
        if let least = keywords["minimum"], let bound = least.double, number < bound {
            problems.append("it must be at least \(text(least))")
        }
        if let most = keywords["maximum"], let bound = most.double, number > bound {
            problems.append("it must be at most \(text(most))")
        }
        if let least = keywords["exclusiveMinimum"], let bound = least.double, number <= bound {
            problems.append("it must be more than \(text(least))")
        }
        if let most = keywords["exclusiveMaximum"], let bound = most.double, number >= bound {
            problems.append("it must be less than \(text(most))")
        }
        return problems
    }

    // MARK: Combinations

    private func combinations(
        _ value: JSONValue, _ keywords: [String: JSONValue], at pointer: String, depth: Int, _ work: inout Work
    ) -> [Problem] {
        var problems: [Problem] = []
        for part in keywords["allOf"]?.elements ?? [] {
            problems += check(value, part, at: pointer, depth: depth + 1, &work)
        }
        for name in ["anyOf", "oneOf"] {
            guard let forms = keywords[name]?.elements, !forms.isEmpty else { continue }
            let found = forms.map { trial(value, $0, at: pointer, depth: depth + 1, &work) }
            let matching = found.count(where: \.isEmpty)
            if matching == 0 {
                // Those of the form that it is nearest to, by the deepest place that is wrong and then the fewest.
                problems += found.min { Self.distance($0) < Self.distance($1) } ?? []
            } else if matching > 1, name == "oneOf" {
                problems.append(Problem(pointer: pointer, detail: "it is of \(matching) forms at once"))
            }
        }
        if let form = keywords["not"], trial(value, form, at: pointer, depth: depth + 1, &work).isEmpty {
            problems.append(Problem(pointer: pointer, detail: "it is what it must not be"))
        }
        return problems
    }

    /// Checks against a form that the value need not have: what is wrong by it takes no room as yet.
    private func trial(
        _ value: JSONValue, _ schema: JSONValue, at pointer: String, depth: Int, _ work: inout Work
    ) -> [Problem] {
        let room = work.room
        work.room = 20
        let found = check(value, schema, at: pointer, depth: depth, &work)
        work.room = room
        return found
    }

    private static func distance(_ problems: [Problem]) -> (Int, Int) {
        (-(problems.map { $0.pointer.count { $0 == "/" } }.max() ?? 0), problems.count)
    }

    // MARK: Parts

    /// A place in the document: `#/$defs/x`.
    private func resolve(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#") else { return nil }
        var place = document
        for part in reference.dropFirst().split(separator: "/") {
            let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = place[String(name)] else { return nil }
            place = next
        }
        return place
    }

    /// Numbers are the same by value.
    private func same(_ one: JSONValue, _ other: JSONValue) -> Bool {
        if let one = one.double, let other = other.double { return one == other }
        return one == other
    }

    private func text(_ value: JSONValue) -> String {
        (try? value.canonical()).map { String(decoding: $0, as: UTF8.self) } ?? "?"
    }

    /// A name within a JSON Pointer.
    static func escaped(_ name: String) -> String { name.replacing("~", with: "~0").replacing("/", with: "~1") }
}

extension Decimal {
    fileprivate var isWhole: Bool {
        var (value, rounded) = (self, Decimal())
        NSDecimalRound(&rounded, &value, 0, .plain)
        return rounded == self
    }
}
