import CAVShim
import Testing

@testable import MediaKit

@Suite("Text of filter graphs")
struct FilterTextTests {
    @Test("names filters and options, from the sources to the sink")
    func chain() {
        var text = FilterText()
        text.append("scale", [("w", "640"), ("h", "360")])
        text.append("null")
        #expect(text.joined(nothing: "null") == "[in0]scale=w=640:h=360,null[out]")
        #expect(FilterText().joined(nothing: "anull") == "[in0]anull[out]")
        #expect(FilterText().joined(nothing: "null", sources: 2) == "[in0][in1]null[out]")
    }

    @Test(
        "a value comes through libav's parsers as it was",
        arguments: [
            "plain", "it's", "a:b", "a,b;c", "[in]", "back\\slash", "'quoted'", "%{pts}", "a=b", "ends with \\",
            "  spaces",
        ])
    func escaping(value: String) throws {
        // The metadata filter takes any text, and writes it onto frames where it can be read.
        var text = FilterText()
        text.append("color", [("size", "16x16"), ("duration", "0.04")])
        text.append("metadata", [("mode", "add"), ("key", "k"), ("value", value)])
        let control = JobControl(budget: CoreBudget(cores: 1), limits: Limits())
        let graph = try FilterGraph(
            sources: [], text: text.joined(nothing: "null", sources: 0), isVideo: true, threads: 1, control: control)
        let frame = try Frame()
        guard case .ready = try graph.pull(into: frame) else {
            Issue.record("no frame came")
            return
        }
        #expect(Options.read(frame.raw.pointee.metadata).first { $0.key == "k" }?.value == value)
    }
}
