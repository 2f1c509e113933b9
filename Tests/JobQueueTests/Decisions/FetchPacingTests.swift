import Testing

@testable import JobQueue

struct FetchPacingTests {
    private func ms(_ value: Int) -> Duration { .milliseconds(value) }

    /// A worker of 16 slots that has looked, found nothing and is marked asleep at 1 ms.
    private func sleeper(nextDueIn: Duration? = nil) -> FetchPacing {
        var pacing = FetchPacing(slots: 16)
        pacing.capacity(16, at: .zero)
        #expect(pacing.decide(at: .zero) == .claim(max: 16))
        pacing.claimed(0, of: 16, at: .zero)
        #expect(pacing.decide(at: .zero) == .markAsleep)
        pacing.markedAsleep(nextDueIn: nextDueIn, at: ms(1))
        return pacing
    }

    private func look(_ pacing: inout FetchPacing, at now: Duration) {
        #expect(pacing.decide(at: now) == .claim(max: 16))
        pacing.claimed(0, of: 16, at: now)
    }

    /// Looks for what is due, finds nothing, and is told when the next is.
    private func miss(_ pacing: inout FetchPacing, at now: Duration, nextDueIn: Duration?) {
        look(&pacing, at: now)
        #expect(pacing.decide(at: now) == .markAsleep, "what it knew is over")
        pacing.markedAsleep(nextDueIn: nextDueIn, at: now)
    }

    @Test func `after falling asleep it looks again at once and twice more, then waits for the poll`() {
        var pacing = sleeper()
        look(&pacing, at: ms(1))
        #expect(pacing.decide(at: ms(2)) == .wait(until: ms(11)))
        look(&pacing, at: ms(11))
        #expect(pacing.decide(at: ms(12)) == .wait(until: ms(101)))
        look(&pacing, at: ms(101))
        #expect(pacing.decide(at: ms(102)) == .wait(until: ms(30_101)))
        look(&pacing, at: ms(30_101))
        #expect(pacing.decide(at: ms(30_102)) == .wait(until: ms(60_101)), "still marked: nothing to write")
    }

    @Test func `it wakes for the next job that is due, and asks anew when somebody else had it`() {
        var pacing = sleeper(nextDueIn: .seconds(5))
        for at in [1, 11, 101] { look(&pacing, at: ms(at)) }
        #expect(pacing.decide(at: ms(102)) == .wait(until: ms(5001)))
        miss(&pacing, at: ms(5001), nextDueIn: .seconds(2))
        #expect(pacing.decide(at: ms(5002)) == .wait(until: ms(7001)), "it is marked already: no more looks")
        miss(&pacing, at: ms(7001), nextDueIn: nil)
        #expect(pacing.decide(at: ms(7002)) == .wait(until: ms(37_001)))
    }

    @Test func `it wakes for a job that it is told comes due sooner than was known`() {
        var pacing = sleeper(nextDueIn: .seconds(5))
        for at in [1, 11, 101] { look(&pacing, at: ms(at)) }
        pacing.due(at: ms(900))
        pacing.due(at: ms(2000))
        #expect(pacing.decide(at: ms(200)) == .wait(until: ms(900)))
        // While it asks it is told of one that the answer does not know yet.
        look(&pacing, at: ms(900))
        #expect(pacing.decide(at: ms(900)) == .markAsleep)
        pacing.due(at: ms(1500))
        pacing.markedAsleep(nextDueIn: ms(4100), at: ms(901))
        #expect(pacing.decide(at: ms(902)) == .wait(until: ms(1500)))
    }

    @Test func `what is due but cannot be had is looked for ever more slowly`() {
        var pacing = sleeper(nextDueIn: .zero)
        var waits: [Duration] = []
        var now = ms(1)
        for _ in 0..<20 {
            guard case .claim = pacing.decide(at: now) else {
                Issue.record("it does not look")
                return
            }
            pacing.claimed(0, of: 16, at: now)
            if pacing.decide(at: now) == .markAsleep { pacing.markedAsleep(nextDueIn: .zero, at: now) }
            guard case .wait(let until?) = pacing.decide(at: now) else {
                Issue.record("it does not wait")
                return
            }
            waits.append(until - now)
            now = until
        }
        #expect(waits.suffix(3) == [ms(256), ms(256), ms(256)])
    }

    @Test func `a notification is answered at once, and one that comes during a request by another request`() {
        var pacing = sleeper()
        look(&pacing, at: ms(1))
        pacing.notified()
        #expect(pacing.decide(at: ms(5)) == .claim(max: 16))
        pacing.notified()
        #expect(pacing.decide(at: ms(5)) == .wait(until: nil))
        pacing.claimed(0, of: 16, at: ms(6))
        #expect(pacing.decide(at: ms(6)) == .claim(max: 16))
        // Somebody else had it. The mark still stands, and so do the looks that were due.
        pacing.claimed(0, of: 16, at: ms(7))
        #expect(pacing.decide(at: ms(7)) == .wait(until: ms(11)))
    }

    @Test func `a notification while it is being marked keeps it awake`() {
        var pacing = FetchPacing(slots: 2)
        pacing.capacity(2, at: .zero)
        _ = pacing.decide(at: .zero)
        pacing.claimed(0, of: 2, at: .zero)
        #expect(pacing.decide(at: .zero) == .markAsleep)
        pacing.notified()
        pacing.markedAsleep(at: ms(1))
        #expect(pacing.decide(at: ms(1)) == .claim(max: 2))
    }

    @Test func `a busy worker waits for half its slots or for two milliseconds`() {
        var pacing = FetchPacing(slots: 16)
        pacing.capacity(16, at: .zero)
        _ = pacing.decide(at: .zero)
        pacing.claimed(16, of: 16, at: ms(1))
        #expect(pacing.decide(at: ms(1)) == .wait(until: nil))
        pacing.capacity(1, at: ms(5))
        #expect(pacing.decide(at: ms(5)) == .wait(until: ms(7)))
        pacing.capacity(3, at: ms(6))
        #expect(pacing.decide(at: ms(6)) == .wait(until: ms(7)), "counted from the first free slot")
        pacing.capacity(8, at: ms(6))
        #expect(pacing.decide(at: ms(6)) == .claim(max: 8))
        pacing.claimed(8, of: 8, at: ms(7))
        pacing.capacity(1, at: ms(8))
        #expect(pacing.decide(at: ms(10)) == .claim(max: 1))
        pacing.claimed(1, of: 1, at: ms(11))
        pacing.capacity(1, at: ms(12))
        pacing.tripPlanned()
        #expect(pacing.decide(at: ms(12)) == .claim(max: 1), "rides along")
    }

    @Test func `a claim that wasn't filled is not repeated at once`() {
        var pacing = FetchPacing(slots: 4)
        pacing.capacity(4, at: .zero)
        _ = pacing.decide(at: .zero)
        pacing.claimed(1, of: 4, at: ms(1))
        pacing.capacity(3, at: ms(1))
        #expect(pacing.decide(at: ms(1)) == .wait(until: ms(3)))
        #expect(pacing.decide(at: ms(3)) == .claim(max: 3))
    }

    @Test func `nothing is claimed while suspended; what was signalled is not forgotten`() {
        var pacing = sleeper()
        look(&pacing, at: ms(1))
        pacing.capacity(0, at: ms(2))
        pacing.notified()
        #expect(pacing.decide(at: ms(3)) == .wait(until: nil))
        pacing.capacity(1, at: .seconds(9))
        #expect(pacing.decide(at: .seconds(9)) == .claim(max: 1))
    }

    @Test func `failures are tried again ever more slowly, at most every five seconds`() {
        var pacing = FetchPacing(slots: 4)
        var generator = SeededGenerator(2)
        pacing.capacity(4, at: .zero)
        var now = Duration.zero
        var waits: [Duration] = []
        for _ in 0..<12 {
            #expect(pacing.decide(at: now) == .claim(max: 4))
            pacing.failed(at: now, using: &generator)
            guard case .wait(let until?) = pacing.decide(at: now) else {
                Issue.record("it doesn't wait")
                return
            }
            waits.append(until - now)
            now = until
        }
        #expect(waits.allSatisfy { $0 >= ms(50) && $0 <= .seconds(5) })
        #expect(waits[0] <= ms(100) && waits[11] >= .seconds(2.5))
    }

    @Test func `no wake-up is lost though producers look for sleepers long before they commit`() {
        var woken = 0
        for seed in 0..<40 {
            var queue = QueueModel(seed: UInt64(seed), slots: 4)
            queue.play(milliseconds: 1500, meanGap: 60)
            #expect(queue.longestWait <= 101 + 10, "seed \(seed)")
            #expect(queue.done == queue.produced)
            #expect(queue.idleRequests <= 5, "an idle worker makes no requests")
            woken += queue.notifications
        }
        #expect(woken > 100, "the model must put the worker to sleep")
    }

    @Test func `no-op jobs on 16 slots don't cause a claim each`() {
        var queue = QueueModel(seed: 1, slots: 16)
        queue.play(milliseconds: 500, meanGap: 0)
        #expect(queue.done > 500)
        #expect(queue.claims * 5 < queue.done)
    }
}

/// A queue in steps of half a millisecond: requests take 1 to 3 ms, jobs 0 to 5 ms, and producers look whether the
/// worker sleeps up to 95 ms before their jobs can be seen.
private struct QueueModel {
    private struct Insert {
        var commit: Double
        var notifies: Bool
    }

    private var generator: SeededGenerator
    private var pacing: FetchPacing
    private let slots: Int
    private var asleep = false
    private var ready: [Double] = []
    private var inserts: [Insert] = []
    private var endings: [Double] = []
    private var request: (action: FetchPacing.Action, takesEffect: Double, answer: Double, found: Int)?

    private(set) var longestWait = 0.0
    private(set) var produced = 0
    private(set) var done = 0
    private(set) var claims = 0
    private(set) var notifications = 0
    private(set) var idleRequests = 0

    init(seed: UInt64, slots: Int) {
        generator = SeededGenerator(seed)
        self.slots = slots
        var settings = FetchPacing.Settings()
        settings.pollInterval = .seconds(3600)
        pacing = FetchPacing(slots: slots, settings: settings)
        pacing.capacity(slots, at: .zero)
    }

    /// - Parameter meanGap: between two jobs, in ms; 0: there are always enough.
    mutating func play(milliseconds: Double, meanGap: Double) {
        var now = 0.0
        // A second more without new jobs: all must be done, and the worker fall silent.
        while now < milliseconds + 1000 {
            let isProducing = now < milliseconds
            if isProducing, meanGap == 0 {
                while ready.count < 100 { ready.append(now) }
            } else if isProducing, generator.chance(0.5 / meanGap) {
                inserts.append(Insert(commit: now + Double(generator.int(0...95)), notifies: asleep))
                produced += 1
            }
            step(now)
            if now > milliseconds + 500, meanGap > 0, request?.takesEffect == now { idleRequests += 1 }
            now += 0.5
        }
    }

    private mutating func step(_ now: Double) {
        let time = Duration.microseconds(Int(now * 1000))
        for insert in inserts where insert.commit <= now {
            ready.append(now)
            if insert.notifies {
                notifications += 1
                pacing.notified()
            }
        }
        inserts.removeAll { $0.commit <= now }

        let running = endings.count
        endings.removeAll { $0 <= now }
        done += running - endings.count

        if var current = request, current.takesEffect <= now, current.found < 0 {
            current.found = 0
            switch current.action {
            case .claim(let most):
                let taken = ready.prefix(most)
                for since in taken { longestWait = max(longestWait, now - since) }
                ready.removeFirst(taken.count)
                current.found = taken.count
                if !taken.isEmpty { asleep = false }
            default: asleep = true
            }
            request = current
        }
        if let current = request, current.answer <= now {
            request = nil
            if case .claim(let most) = current.action {
                pacing.claimed(current.found, of: most, at: time)
                for _ in 0..<current.found { endings.append(now + Double(generator.int(0...10)) / 2) }
            } else {
                pacing.markedAsleep(at: time)
            }
        }
        pacing.capacity(slots - endings.count - max(0, request?.found ?? 0), at: time)
        let action = pacing.decide(at: time)
        guard request == nil else { return }
        if case .wait = action { return }
        if case .claim = action { claims += 1 }
        let delay = Double(generator.int(1...3)) / 2
        request = (action, now + delay, now + 2 * delay, -1)
    }
}
