import Testing
import Transfer

@Suite struct RangePlanTests {
    @Test func `pieces that are close together become one request`() {
        let plan = RangePlan([0..<10, 20..<30, 100..<110], gap: 10)
        #expect(plan.requests == [0..<30, 100..<110])
        #expect(plan.byteCount == 40)
    }

    @Test func `order, overlaps and empty pieces do not matter`() {
        let plan = RangePlan([100..<200, 50..<50, 0..<10, 150..<160, 190..<250], gap: 0)
        #expect(plan.requests == [0..<10, 100..<250])
        #expect(RangePlan([]).requests.isEmpty)
    }

    @Test func `a long one is cut`() {
        let plan = RangePlan([10..<200_010], gap: 0, longest: 65_536)
        #expect(plan.requests == [10..<65_546, 65_546..<131_082, 131_082..<196_618, 196_618..<200_010])
    }

    @Test func `no byte is missing and hardly any is too many`() {
        // Sound among pictures: 400 bytes every 20,000, for ten minutes.
        let pieces = (0..<25_000).map { (index: Int64) -> Range<Int64> in index * 20_000..<index * 20_000 + 400 }
        let apart = RangePlan(pieces, gap: 4096)
        #expect(apart.byteCount == 25_000 * 400)
        let together = RangePlan(pieces, gap: 32 << 10)
        let length: Int64 = 24_999 * 20_000 + 400
        let longest: Int64 = 4 << 20
        #expect(together.byteCount == length)
        #expect(Int64(together.requests.count) == (length + longest - 1) / longest)
    }

    @Test func `As many bytes are fetched as are allowed, and the widest gaps are left out`() {
        // Gaps of 10, 20 and 30 bytes.
        let pieces: [Range<Int64>] = [0..<100, 110..<200, 220..<300, 330..<400]
        #expect(RangePlan(pieces, fetchingAtMost: 400).requests == [0..<400])
        #expect(RangePlan(pieces, fetchingAtMost: 399).requests == [0..<300, 330..<400])
        // An eighth of what is needed is allowed in any case.
        #expect(RangePlan(pieces, fetchingAtMost: 1).byteCount == 370)
        #expect(RangePlan(pieces, fetchingAtMost: 1000, gap: 15).requests == [0..<200, 220..<300, 330..<400])
        #expect(RangePlan([0..<100, 100..<200], fetchingAtMost: 0).requests == [0..<200])
    }

    @Test func `Gaps that are as wide are read through all together, or not at all`() {
        let pieces = (0..<1000).map { (index: Int64) -> Range<Int64> in index * 1000..<index * 1000 + 100 }
        let plan = RangePlan(pieces, fetchingAtMost: 500_000)
        #expect(plan.requests == pieces)
        #expect(RangePlan(pieces, fetchingAtMost: 1_000_000).requests == [0..<999_100])
    }
}
