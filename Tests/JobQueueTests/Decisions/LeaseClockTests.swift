import Testing

@testable import JobQueue

struct LeaseClockTests {
    private func clock() -> LeaseClock {
        LeaseClock(lease: .seconds(12), interval: .seconds(3), margin: .seconds(2), registeredBy: .zero)
    }

    @Test func `it renews at the interval, counted from the last request's sending`() {
        var clock = clock()
        #expect(clock.decide(at: .zero) == .wait(until: .seconds(3)))
        #expect(clock.decide(at: .seconds(3)) == .renew)
        clock.renewalSent(at: .seconds(3))
        #expect(clock.decide(at: .seconds(4)) == .wait(until: .seconds(10)))
        clock.renewalSucceeded(at: .seconds(5))
        #expect(clock.deadline == .seconds(13))
        #expect(clock.decide(at: .seconds(5)) == .wait(until: .seconds(6)))
    }

    @Test func `failures are tried again ever more slowly, and the jobs stop before the lease ends`() {
        var clock = clock()
        var now = Duration.zero
        var sent: [Duration] = []
        loop: while true {
            switch clock.decide(at: now) {
            case .renew:
                sent.append(now)
                clock.renewalSent(at: now)
                clock.renewalFailed(at: now)
            case .wait(let until):
                #expect(until > now)
                now = until
            case .stop(let reason):
                #expect(reason == .expired(failures: sent.count))
                break loop
            }
        }
        #expect(now == .seconds(10))
        #expect(sent == [3000, 3300, 3900, 5100, 7500].map { .milliseconds($0) })
    }

    @Test func `a request that hangs does not delay the stop`() {
        var clock = clock()
        clock.renewalSent(at: .seconds(3))
        #expect(clock.decide(at: .milliseconds(9999)) == .wait(until: .seconds(10)))
        #expect(clock.decide(at: .seconds(10)) == .stop(.expired(failures: 0)))
    }

    @Test func `whoever was stopped for too long is told to stop first, an answer that lay waiting does not revive it`()
    {
        var clock = clock()
        clock.renewalSent(at: .seconds(3))
        clock.renewalSucceeded(at: .seconds(60))
        #expect(clock.decide(at: .seconds(60)) == .stop(.expired(failures: 0)))
        var other = self.clock()
        #expect(other.decide(at: .seconds(60)) == .stop(.expired(failures: 0)))
        other.renewalSent(at: .seconds(60))
        other.renewalSucceeded(at: .seconds(60))
        #expect(other.decide(at: .seconds(61)) == .stop(.expired(failures: 0)))
    }

    @Test func `a refusal stops at once`() {
        var clock = clock()
        clock.leaseRefused()
        #expect(clock.decide(at: .seconds(1)) == .stop(.refused))
    }

    @Test func `jobs never run when the database may think the lease has ended`() {
        // The database's side is played along: it counts from when a request arrives. Whether answers come back,
        // how long that takes and for how long the process is stopped is random.
        var generator = SeededGenerator(17)
        var stops = 0
        for _ in 0..<2000 {
            let lease = Duration.milliseconds(generator.int(100...20_000))
            var clock = LeaseClock(
                lease: lease, interval: .milliseconds(generator.int(0...30_000)),
                margin: .milliseconds(generator.int(0...30_000)), registeredBy: .zero)
            #expect(clock.interval > .zero && clock.margin <= lease / 2 && clock.interval * 2 <= lease - clock.margin)
            var expiresAt = lease
            var now = Duration.zero
            events: for _ in 0..<100 {
                switch clock.decide(at: now) {
                case .stop:
                    stops += 1
                    break events
                case .wait(let until):
                    #expect(now < expiresAt)
                    #expect(until > now)
                    now = generator.chance(0.03) ? until + lease : until
                case .renew:
                    #expect(now < expiresAt)
                    clock.renewalSent(at: now)
                    let arrival = now + lease * Double.random(in: 0...0.2, using: &generator)
                    let arrives = generator.chance(0.8) && arrival < expiresAt
                    if arrives { expiresAt = max(expiresAt, arrival + lease) }
                    now = arrival + lease * Double.random(in: 0...0.2, using: &generator)
                    if arrives, generator.chance(0.8) {
                        clock.renewalSucceeded(at: now)
                    } else {
                        clock.renewalFailed(at: now)
                    }
                }
            }
        }
        #expect(stops > 500)
    }
}
