import Testing

@testable import Telemetry

@Suite struct SamplerTests {
    @Test(
        arguments: [
            ("always_on", nil, 1, false), ("always_off", nil, 0, false), ("traceidratio", "0.25", 0.25, false),
            ("parentbased_always_on", nil, 1, true), ("parentbased_always_off", "ignored", 0, true),
            ("parentbased_traceidratio", "0.5", 0.5, true), ("traceidratio", nil, 1, false),
        ] as [(String, String?, Double, Bool)])
    func `OpenTelemetry's names`(name: String, argument: String?, ratio: Double, followsParent: Bool) throws {
        let sampler = try #require(Sampler(name: name, argument: argument))
        #expect(sampler == Sampler(ratio: ratio, followsParent: followsParent))
    }

    @Test(
        arguments: [
            ("", nil), ("Always_On", nil), ("jaeger_remote", nil), ("traceidratio", "much"), ("traceidratio", "1.5"),
            ("parentbased_traceidratio", "-0.1"), ("traceidratio", "nan"), ("parentbased_", nil),
        ] as [(String, String?)])
    func `names and ratios that are none`(name: String, argument: String?) {
        #expect(Sampler(name: name, argument: argument) == nil)
    }

    @Test(arguments: [0, 0.1, 0.5, 1])
    func `about the ratio is recorded, and by the id alone`(ratio: Double) {
        let sampler = Sampler(ratio: ratio)
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<20_000).map { _ in TraceID.random(using: &generator) }
        let count = ids.count { sampler.isSampled($0, parent: nil) }
        // Nine standard deviations.
        let spread = 9 * (ratio * (1 - ratio) * 20_000).squareRoot()
        #expect(abs(Double(count) - ratio * 20_000) <= spread)
        #expect(ids.allSatisfy { sampler.isSampled($0, parent: nil) == sampler.isSampled($0, parent: nil) })
        // Whoever records fewer records some of the same.
        let fewer = Sampler(ratio: ratio / 2)
        #expect(ids.allSatisfy { !fewer.isSampled($0, parent: nil) || sampler.isSampled($0, parent: nil) })
    }

    @Test func `the ends of the ratio are all and none`() throws {
        let highest = try #require(TraceID(high: 1, low: .max))
        let lowest = try #require(TraceID(high: 1, low: 0))
        #expect(Sampler(ratio: 1).isSampled(highest, parent: nil))
        #expect(!Sampler(ratio: 0).isSampled(lowest, parent: nil))
        #expect(Sampler(ratio: .nan) == Sampler(ratio: 0))
        #expect(Sampler(ratio: 7) == Sampler(ratio: 1))
    }

    @Test(arguments: [true, false])
    func `a parent's decision is followed, or not`(isSampled: Bool) throws {
        let parent = try #require(
            SpanContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\(isSampled ? 1 : 0)"))
        #expect(Sampler(ratio: 0).isSampled(parent.traceID, parent: parent) == isSampled)
        #expect(Sampler(ratio: 1).isSampled(parent.traceID, parent: parent) == isSampled)
        #expect(!Sampler(ratio: 0, followsParent: false).isSampled(parent.traceID, parent: parent))
        #expect(Sampler(ratio: 1, followsParent: false).isSampled(parent.traceID, parent: parent))
    }
}
