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

    @Test func `claims and results go side by side while there is a backlog of short jobs`() {
        var ahead = ClaimAhead()
        ahead.ended(after: 0.001)
        #expect(!ahead.isPipelined(slots: 16))
        ahead.claimed(128, of: 128)
        #expect(ahead.isPipelined(slots: 16) && ahead.reserve(slots: 16) == 32)
        // The end of the backlog, or a limit.
        ahead.claimed(100, of: 128)
        #expect(!ahead.isPipelined(slots: 16))
        ahead.claimed(128, of: 128)
        ahead.claimFailed()
        #expect(!ahead.isPipelined(slots: 16))
        var slow = ClaimAhead()
        slow.ended(after: 1)
        slow.claimed(16, of: 16)
        #expect(!slow.isPipelined(slots: 16))
    }
}
