import JobQueue
import Testing

@testable import Server

private func problems(_ schema: JSONValue, _ value: JSONValue) -> [String] {
    JSONSchema(schema).problems(in: value).map { "\($0.pointer): \($0.detail)" }
}

@Suite struct JSONSchemaTests {
    private let clip: JSONValue = [
        "type": "object", "required": ["input"], "additionalProperties": false,
        "properties": [
            "input": ["type": "string", "minLength": 1], "crf": ["type": "integer", "minimum": 0, "maximum": 51],
            "tags": ["type": "array", "items": ["type": "string"], "maxItems": 2, "uniqueItems": true],
            "size": ["$ref": "#/$defs/size"], "codec": ["enum": ["h264", "hevc"]],
            "gain": ["type": ["number", "null"]],
            "when": ["type": "string", "format": "date-time"], "id": ["type": "string", "format": "uuid"],
            "subtitles": [
                "oneOf": [
                    [
                        "type": "object", "required": ["file"], "additionalProperties": false,
                        "properties": ["file": ["type": "string"]],
                    ],
                    [
                        "type": "object", "required": ["text"], "additionalProperties": false,
                        "properties": ["text": ["type": "string"]],
                    ],
                ]
            ],
        ],
        "$defs": ["size": ["type": "object", "properties": ["width": ["type": "integer", "exclusiveMinimum": 0]]]],
    ]

    @Test func `What fits has no problems`() {
        #expect(
            problems(
                clip,
                [
                    "input": "a.mp4", "crf": 21, "tags": ["x"], "size": ["width": 2], "codec": "hevc", "gain": nil,
                    "when": "2026-03-01T12:00:00Z", "id": "0190163d-8694-739b-aea5-966c26f8ad91",
                    "subtitles": ["text": "1"],
                ]
            ).isEmpty)
        #expect(problems(["type": "integer"], 1.0).isEmpty)
    }

    @Test(
        arguments: [
            (["input": ""], "/input: it must not be empty"), ([:], ": the key \"input\" is missing"),
            (["input": "a", "inptu": 1], "/inptu: there is no key \"inptu\"; did you mean \"input\"?"),
            (["input": "a", "crf": 52], "/crf: it must be at most 51"),
            (["input": "a", "crf": 1.5], "/crf: it must be a whole number"),
            (["input": "a", "crf": "1"], "/crf: it must be a whole number"),
            (["input": "a", "tags": ["x", 1]], "/tags/1: it must be a string"),
            (["input": "a", "tags": ["x", "x"]], "/tags: an element comes twice"),
            (["input": "a", "size": ["width": 0]], "/size/width: it must be more than 0"),
            (["input": "a", "codec": "h265"], "/codec: it must be one of \"h264\", \"hevc\"; did you mean \"h264\"?"),
            (["input": "a", "gain": "loud"], "/gain: it must be a number or null"),
            (["input": "a", "when": "soon"], "/when: it must be a time such as 2026-03-01T12:00:00Z"),
            (["input": "a", "id": "7"], "/id: it must be a UUID"),
            (["input": "a", "subtitles": ["file": 1]], "/subtitles/file: it must be a string"),
            (["input": "a", "a/b~c": 1], "/a~1b~0c: there is no key \"a/b~c\""),
        ] as [(JSONValue, String)])
    func `What does not fit is named with its place`(value: JSONValue, expected: String) {
        #expect(problems(clip, value) == [expected])
    }

    @Test func `However much is wrong, the work is bounded`() throws {
        let names = (0..<300_000).map { "inpu\($0)" }
        let body = "{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        #expect(body.utf8.count > 4 << 20)
        let value = try JSONReader.read(Array(body.utf8))
        let properties = JSONValue.object(
            Dictionary(uniqueKeysWithValues: (0..<50).map { ("input\($0)", ["type": "string"] as JSONValue) }))
        let schema = JSONSchema(["type": "object", "additionalProperties": false, "properties": properties])
        var work = JSONSchema.Work()
        let found = schema.problems(in: value, &work)
        #expect(found.count == 20)
        let (comparisons, suggestions) = (work.comparisons, work.suggestions)
        #expect(comparisons <= 3 * 50 && suggestions == 0)
        #expect(found.count { $0.detail.contains("did you mean") } <= 3)
        // Nor does a list go on when enough of it is wrong.
        let list = JSONSchema(["type": "array", "items": ["enum": ["one", "two"]]])
        var other = JSONSchema.Work()
        let many = list.problems(in: .array(Array(repeating: "tow", count: 100_000)), &other)
        let spent = other.comparisons
        #expect(many.count == 20 && many.last?.pointer == "/19" && spent <= 6)
    }

    @Test func `A schema that refers to itself without end says nothing`() {
        #expect(problems(["$ref": "#"], 1).isEmpty)
        #expect(problems(["type": "array", "items": ["$ref": "#"]], [[], [[]], 1]) == ["/2: it must be an array"])
    }

    @Test(arguments: [
        ("inptu", "input", 1), ("input", "input", 0), ("", "abc", 3), ("outptu", "output", 1), ("ab", "cd", 2),
    ])
    func `The distance of two words counts letters that changed or swapped`(one: String, other: String, distance: Int) {
        #expect(Spelling.distance(Array(one.utf8), Array(other.utf8)) == distance)
    }
}
