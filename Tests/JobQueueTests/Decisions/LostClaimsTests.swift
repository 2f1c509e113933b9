import Testing

@testable import JobQueue

struct LostClaimsTests {
    @Test func `a claim that failed is looked for at once, and then for a while`() {
        var claims = LostClaims(lease: .seconds(10))
        #expect(claims.nextLook == .seconds(60))
        claims.claimFailed(at: .seconds(7))
        #expect(claims.nextLook == .seconds(7))
        var looks: [Duration] = []
        var now = Duration.seconds(7)
        while looks.count < 9 {
            now = claims.nextLook
            looks.append(now)
            claims.looked(at: now)
        }
        // As long as it may still be under way; then as a matter of routine.
        #expect(looks == [7, 12, 17, 22, 27, 32, 37, 97, 157].map { .seconds($0) })
    }

    @Test func `a look that failed is made up for soon`() {
        var claims = LostClaims(lease: .seconds(10))
        claims.claimFailed(at: .seconds(7))
        claims.lookFailed(at: .seconds(8))
        #expect(claims.nextLook == .seconds(9))
    }
}
