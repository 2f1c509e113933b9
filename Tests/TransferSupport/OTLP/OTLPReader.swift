import Foundation
import Transfer

/// An `AnyValue`.
enum OTLPValue: Equatable, Sendable {
    case string(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case array([OTLPValue])
}

/// A span as it arrived.
struct ReceivedSpan: Equatable, Sendable {
    struct Event: Equatable, Sendable {
        var name: String
        var time: UInt64
        var attributes: [String: OTLPValue]
    }
    struct Link: Equatable, Sendable {
        var traceID: String
        var spanID: String
        var flags: Int
        var attributes: [String: OTLPValue]
    }
    var traceID = ""
    var spanID = ""
    var parentID: String?
    var traceState: String?
    var flags = 0
    var name = ""
    var kind = 0
    var start: UInt64 = 0
    var end: UInt64 = 0
    var attributes: [String: OTLPValue] = [:]
    var droppedAttributes = 0
    var events: [Event] = []
    var droppedEvents = 0
    var links: [Link] = []
    var droppedLinks = 0
    var statusCode = 0
    var statusMessage: String?
}

/// Reads an `ExportTraceServiceRequest` in JSON, and notes all that is not as it should be.
struct OTLPReader {
    private(set) var problems: [String] = []
    private(set) var spans: [ReceivedSpan] = []
    private(set) var resource: [String: OTLPValue] = [:]

    static func batch(_ request: RawRequest, _ body: [UInt8]) -> OTLPReader {
        var reader = OTLPReader()
        reader.expect(request.method == "POST", "the method is \(request.method)")
        reader.expect(request.target == "/v1/traces", "the target is \(request.target)")
        let type = request.headers["Content-Type"] ?? "none"
        reader.expect(type == "application/json", "the content type is \(type)")
        guard let root = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            reader.problems.append("the body is no JSON object")
            return reader
        }
        reader.keys(root, ["resourceSpans"], [])
        for resourceSpans in reader.objects(root["resourceSpans"]) {
            reader.keys(resourceSpans, ["resource", "scopeSpans"], [])
            let resource = reader.object(resourceSpans["resource"])
            reader.keys(resource, ["attributes"], [])
            reader.resource = reader.attributes(resource["attributes"])
            if case .string? = reader.resource["service.name"] {} else { reader.problems.append("no service.name") }
            for scopeSpans in reader.objects(resourceSpans["scopeSpans"]) {
                reader.keys(scopeSpans, ["scope", "spans"], [])
                reader.keys(reader.object(scopeSpans["scope"]), ["name"], ["version"])
                let spans = reader.objects(scopeSpans["spans"])
                reader.expect(!spans.isEmpty, "a batch without spans")
                for span in spans { reader.read(span) }
            }
        }
        return reader
    }

    private mutating func read(_ object: [String: Any]) {
        keys(
            object, ["traceId", "spanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "status"],
            [
                "parentSpanId", "traceState", "attributes", "droppedAttributesCount", "events", "droppedEventsCount",
                "links", "droppedLinksCount",
            ])
        var span = ReceivedSpan()
        span.traceID = id(object["traceId"], 32)
        span.spanID = id(object["spanId"], 16)
        if let parent = object["parentSpanId"] { span.parentID = id(parent, 16) }
        span.traceState = object["traceState"] as? String
        span.flags = int(object["flags"])
        span.name = string(object["name"])
        expect(!span.name.isEmpty, "a span without a name")
        span.kind = int(object["kind"])
        expect((1...5).contains(span.kind), "the kind \(span.kind)")
        span.start = time(object["startTimeUnixNano"])
        span.end = time(object["endTimeUnixNano"])
        expect(span.start <= span.end, "an end before the start")
        span.attributes = attributes(object["attributes"])
        span.droppedAttributes = count(object["droppedAttributesCount"])
        for event in objects(object["events"]) {
            keys(event, ["timeUnixNano", "name"], ["attributes", "droppedAttributesCount"])
            span.events.append(
                ReceivedSpan.Event(
                    name: string(event["name"]), time: time(event["timeUnixNano"]),
                    attributes: attributes(event["attributes"])))
        }
        span.droppedEvents = count(object["droppedEventsCount"])
        for link in objects(object["links"]) {
            keys(link, ["traceId", "spanId", "flags"], ["traceState", "attributes", "droppedAttributesCount"])
            span.links.append(
                ReceivedSpan.Link(
                    traceID: id(link["traceId"], 32), spanID: id(link["spanId"], 16), flags: int(link["flags"]),
                    attributes: attributes(link["attributes"])))
        }
        span.droppedLinks = count(object["droppedLinksCount"])
        let status = self.object(object["status"])
        keys(status, [], ["code", "message"])
        span.statusCode = count(status["code"])
        expect((0...2).contains(span.statusCode), "the status \(span.statusCode)")
        span.statusMessage = status["message"] as? String
        spans.append(span)
    }

    // MARK: Parts

    private mutating func expect(_ isRight: Bool, _ problem: String) { if !isRight { problems.append(problem) } }

    private mutating func keys(_ object: [String: Any], _ needed: Set<String>, _ allowed: Set<String>) {
        let keys = Set(object.keys)
        expect(needed.isSubset(of: keys), "missing: \(needed.subtracting(keys).sorted())")
        let unknown = keys.subtracting(needed).subtracting(allowed)
        expect(unknown.isEmpty, "unknown: \(unknown.sorted())")
    }

    private mutating func object(_ value: Any?) -> [String: Any] {
        guard let object = value as? [String: Any] else {
            problems.append("no object: \(String(describing: value))")
            return [:]
        }
        return object
    }

    private mutating func objects(_ value: Any?) -> [[String: Any]] {
        guard let value else { return [] }
        guard let objects = value as? [[String: Any]] else {
            problems.append("no array of objects: \(value)")
            return []
        }
        return objects
    }

    private mutating func string(_ value: Any?) -> String {
        expect(value is String, "no string: \(String(describing: value))")
        return value as? String ?? ""
    }

    /// A number that is none of JSON's strings or truth values.
    private mutating func int(_ value: Any?) -> Int {
        let isNumber = value is NSNumber && !isBool(value)
        expect(isNumber, "no number: \(String(describing: value))")
        return value as? Int ?? 0
    }

    /// 0 where it is left out.
    private mutating func count(_ value: Any?) -> Int { value == nil ? 0 : int(value) }

    private func isBool(_ value: Any?) -> Bool { (value as? NSNumber)?.objCType.pointee == CChar(UInt8(ascii: "c")) }

    /// Hexadecimal digits, not all 0. OTLP's JSON has them in place of base64.
    private mutating func id(_ value: Any?, _ digits: Int) -> String {
        let text = string(value)
        let isID = text.utf8.count == digits && text.allSatisfy(\.isHexDigit) && text.contains { $0 != "0" }
        expect(isID, "no id of \(digits) digits: \(text)")
        return text
    }

    /// A `fixed64`, which is a string of digits.
    private mutating func time(_ value: Any?) -> UInt64 {
        let text = string(value)
        guard let time = UInt64(text), String(time) == text else {
            problems.append("no time: \(text)")
            return 0
        }
        return time
    }

    private mutating func attributes(_ value: Any?) -> [String: OTLPValue] {
        var attributes: [String: OTLPValue] = [:]
        for attribute in objects(value) {
            keys(attribute, ["key", "value"], [])
            let name = string(attribute["key"])
            expect(attributes[name] == nil, "the attribute \(name) twice")
            attributes[name] = anyValue(attribute["value"])
        }
        return attributes
    }

    private mutating func anyValue(_ value: Any?) -> OTLPValue? {
        let object = self.object(value)
        guard object.count == 1, let (kind, value) = object.first else {
            problems.append("a value of \(object.count) kinds")
            return nil
        }
        switch kind {
        case "stringValue": return .string(string(value))
        case "intValue":
            guard let text = value as? String, let number = Int64(text) else {
                problems.append("an int that is no string of digits: \(value)")
                return nil
            }
            return .int(number)
        case "doubleValue":
            if let text = value as? String {
                expect(["NaN", "Infinity", "-Infinity"].contains(text), "the double \(text)")
                return .double(text == "Infinity" ? .infinity : text == "-Infinity" ? -.infinity : .nan)
            }
            expect(value is NSNumber && !isBool(value), "no double: \(value)")
            return (value as? Double).map { .double($0) }
        case "boolValue":
            expect(isBool(value), "no truth value: \(value)")
            return (value as? Bool).map { .bool($0) }
        case "arrayValue":
            let array = self.object(value)
            keys(array, ["values"], [])
            return .array(objects(array["values"]).compactMap { anyValue($0) })
        default:
            problems.append("the kind of value \(kind)")
            return nil
        }
    }
}
