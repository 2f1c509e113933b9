import Testing

@testable import JobQueue

struct ClaimAheadTests {
    @Test func `nothing is claimed in advance of handlers that take long, or are not known yet`() {
        var ahead = ClaimAhead()
        #expect(ahead.count(slots: 16) == 0)
        ahead.ended(after: 3)
        #expect(ahead.count(slots: 16) == 0)
    }

    @Test func `short jobs are claimed 20 ms ahead, within bounds`() {
        var ahead = ClaimAhead()
        ahead.ended(after: 0.01)
        #expect(ahead.count(slots: 4) == 8)
        var none = ClaimAhead()
        none.ended(after: 0)
        #expect(none.count(slots: 4) == 80)
        #expect(none.count(slots: 64) == ClaimAhead.most)
    }
}
