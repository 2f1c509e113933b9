import Testing
import Tracing

@testable import Telemetry

private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
private let span = "00f067aa0ba902b7"

/// https://www.w3.org/TR/trace-context/
@Suite struct TraceContextTests {
    @Test(arguments: [
        ("00-\(trace)-\(span)-01", true), ("00-\(trace)-\(span)-00", false),
        // Flags that are not known, with and without the one that is.
        ("00-\(trace)-\(span)-ff", true), ("00-\(trace)-\(span)-02", false),
        // Versions to come: what is known of them is read.
        ("01-\(trace)-\(span)-01", true), ("cc-\(trace)-\(span)-01-what-the-future-brings", true),
        ("fe-\(trace)-\(span)-00-", false),
    ])
    func `a traceparent that is valid`(text: String, isSampled: Bool) throws {
        let context = try #require(SpanContext(traceparent: text))
        #expect(context.traceID.description == trace)
        #expect(context.spanID.description == span)
        #expect(context.isSampled == isSampled)
        #expect(context.isRemote)
        #expect(context.traceparent == "00-\(trace)-\(span)-0\(isSampled ? 1 : 0)")
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-1",
        // Capital letters, and others that are no digits.
        "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-00F067aa0ba902b7-01", "00-\(trace)-\(span)-0A",
        "0g-\(trace)-\(span)-01", "00-\(trace.dropLast())g-\(span)-01", "00-\(trace)-\(span)-0x",
        "00-+\(trace.dropLast())-\(span)-01", "00-\(trace.dropLast(2))é-\(span)-01",
        // Nothing but zeros.
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
        // The version that never comes.
        "ff-\(trace)-\(span)-01",
        // Longer than version 0 is, or than a later one may be.
        "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-x", "01-\(trace)-\(span)-01x", "01-\(trace)-\(span)-011",
        // Separators, blanks, other lengths.
        "00_\(trace)_\(span)_01", " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ", "00-\(trace)0-\(span)-01",
        "00-\(trace.dropLast())-\(span)-01", "000-\(trace)-\(span)-01", "00-\(span)-\(trace)-01",
        "00-\(trace)-\(span)-01\n",
    ])
    func `a traceparent that is not`(text: String) {
        #expect(SpanContext(traceparent: text) == nil)
    }

    @Test func `zeros within are fine`() throws {
        let text = "00-00000000000000000000000000000001-0000000000000001-01"
        #expect(try #require(SpanContext(traceparent: text)).traceparent == text)
        #expect(SpanContext(traceparent: "00-10000000000000000000000000000000-1000000000000000-01") != nil)
    }

    @Test(arguments: [
        ("", ""), ("a=1", "a=1"),
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (" a=1 ,\tb=2\t", "a=1,b=2"), ("a=1,,b=2,", "a=1,b=2"), ("a= x y", "a= x y"),
        ("a_-*/9=~;!", "a_-*/9=~;!"), ("1tenant@sys=1", "1tenant@sys=1"),
        ("\(String(repeating: "k", count: 256))=v", "\(String(repeating: "k", count: 256))=v"),
        ("a=\(String(repeating: "v", count: 256))", "a=\(String(repeating: "v", count: 256))"),
        (
            "\(String(repeating: "t", count: 241))@\(String(repeating: "s", count: 14))=v",
            "\(String(repeating: "t", count: 241))@\(String(repeating: "s", count: 14))=v"
        ),
    ])
    func `a tracestate that is valid`(text: String, expected: String) throws {
        #expect(try #require(TraceState(text)).description == expected)
    }

    @Test(arguments: [
        "a", "=1", "a=", "A=1", "1a=1", "a b=1", "a=1,a=2", "a=b=c", "a=é", "a@=1", "@a=1", "a@b@c=1", "a@1b=1",
        "a=\u{7F}", "a=\n1", "ä=1", "\(String(repeating: "k", count: 257))=v",
        "a=\(String(repeating: "v", count: 257))",
        "\(String(repeating: "t", count: 242))@s=v", "t@\(String(repeating: "s", count: 15))=v",
    ])
    func `a tracestate that is not`(text: String) {
        #expect(TraceState(text) == nil)
    }

    @Test func `a tracestate has 32 members at most`() throws {
        let members = (0..<33).map { "k\($0)=\($0)" }
        #expect(try #require(TraceState(members.dropLast().joined(separator: ","))).members.count == 32)
        #expect(TraceState(members.joined(separator: ",")) == nil)
    }

    @Test func `a tracestate that is not valid does not void the traceparent`() throws {
        let context = try #require(
            SpanContext(traceparent: "00-\(trace)-\(span)-01", tracestate: "a=1,A=2"))
        #expect(context.state == .empty)
        #expect(context.tracestate == nil)
    }

    @Test func `ids are random and never zero`() {
        struct Zeros: RandomNumberGenerator {
            var calls = 0
            mutating func next() -> UInt64 {
                calls += 1
                return calls < 4 ? 0 : 7
            }
        }
        var zeros = Zeros()
        #expect(TraceID.random(using: &zeros).description == "00000000000000000000000000000007")
        zeros.calls = 0
        #expect(SpanID.random(using: &zeros).description == "0000000000000007")
        var generator = SystemRandomNumberGenerator()
        #expect(Set((0..<1000).map { _ in TraceID.random(using: &generator) }).count == 1000)
    }
}
