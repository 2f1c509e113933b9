import Testing

@testable import JobQueue

struct CompletionBatchTests {
    private func batch() -> CompletionBatch<Int> {
        CompletionBatch(enough: 3, most: 5, patience: .milliseconds(2))
    }

    private func flush(_ action: CompletionBatch<Int>.Action) -> [Int]? {
        if case .flush(let items) = action { items } else { nil }
    }

    private func retry(_ action: CompletionBatch<Int>.Action) -> Int? {
        if case .retry(let item) = action { item } else { nil }
    }

    private func wait(_ action: CompletionBatch<Int>.Action) -> Duration? {
        if case .wait(let until) = action { until } else { nil }
    }

    @Test func `an idle worker writes at once`() {
        var batch = batch()
        #expect(wait(batch.decide(at: .zero, othersRunning: 0)) == nil)
        batch.add(1, at: .zero)
        #expect(flush(batch.decide(at: .zero, othersRunning: 0)) == [1])
    }

    @Test func `a busy one waits for enough or for its patience to end`() {
        var batch = batch()
        batch.add(1, at: .milliseconds(10))
        batch.add(2, at: .milliseconds(11))
        #expect(wait(batch.decide(at: .milliseconds(11), othersRunning: 4)) == .milliseconds(12))
        #expect(flush(batch.decide(at: .milliseconds(12), othersRunning: 4)) == [1, 2])
        #expect(batch.flushed(rejected: []).isEmpty)
        for item in 3...5 { batch.add(item, at: .milliseconds(13)) }
        #expect(flush(batch.decide(at: .milliseconds(13), othersRunning: 4)) == [3, 4, 5])
    }

    @Test func `what finishes during a write goes with the next one, and no write holds too much`() {
        var batch = batch()
        batch.add(1, at: .zero)
        #expect(flush(batch.decide(at: .zero, othersRunning: 0)) == [1])
        for item in 2...9 { batch.add(item, at: .zero) }
        #expect(flush(batch.decide(at: .seconds(1), othersRunning: 0)) == nil)
        _ = batch.flushed(rejected: [])
        #expect(flush(batch.decide(at: .seconds(1), othersRunning: 0)) == [2, 3, 4, 5, 6])
        _ = batch.flushed(rejected: [])
        #expect(flush(batch.decide(at: .seconds(1), othersRunning: 0)) == [7, 8, 9])
    }

    @Test func `what the fence refused is reported; after a failed write it may be there already`() throws {
        var batch = batch()
        for item in 1...3 { batch.add(item, at: .zero) }
        _ = batch.decide(at: .zero, othersRunning: 0)
        let refused = batch.flushed(rejected: [1, 7, -1])
        #expect(refused.map(\.item) == [2] && refused.map(\.mayBeWritten) == [false])
        #expect(batch.isEmpty)

        batch.add(4, at: .zero)
        _ = batch.decide(at: .zero, othersRunning: 0)
        batch.flushFailed(at: .zero)
        batch.add(5, at: .zero)
        batch.close()
        #expect(wait(batch.decide(at: .zero, othersRunning: 0)) == .milliseconds(50))
        #expect(flush(batch.decide(at: .milliseconds(50), othersRunning: 0)) == [4, 5])
        #expect(batch.flushed(rejected: [0, 1]).map(\.mayBeWritten) == [true, false])
    }

    @Test func `once the lease is lost all is given up`() {
        var batch = batch()
        for item in 1...7 { batch.add(item, at: .zero) }
        _ = batch.decide(at: .zero, othersRunning: 0)
        #expect(batch.abandon() == [1, 2, 3, 4, 5, 6, 7])
        #expect(batch.isEmpty)
        #expect(batch.flushed(rejected: [0]).isEmpty)
    }

    @Test func `what goes along with another trip waits for no patience, but for the time after a failure`() {
        var batch = batch()
        batch.add(1, at: .zero)
        #expect(batch.takeAlong(at: .zero) == [1])
        #expect(batch.takeAlong(at: .zero) == [])
        batch.flushFailed(at: .zero)
        #expect(batch.takeAlong(at: .milliseconds(49)) == [])
        #expect(batch.takeAlong(at: .milliseconds(50)) == [1])
    }

    @Test func `a result whose row somebody holds leaves the line, and is tried again by itself`() {
        var batch = batch()
        for item in 1...3 { batch.add(item, at: .zero) }
        _ = batch.decide(at: .zero, othersRunning: 0)
        #expect(batch.flushed(rejected: [], stuck: [0, 2], at: .zero).isEmpty)
        #expect(!batch.isEmpty && batch.waitingCount == 0)
        #expect(wait(batch.decide(at: .zero, othersRunning: 0)) == .seconds(1))
        // Others do not wait for them.
        batch.add(4, at: .milliseconds(500))
        #expect(flush(batch.decide(at: .milliseconds(500), othersRunning: 0)) == [4])
        _ = batch.flushed(rejected: [])
        #expect(retry(batch.decide(at: .seconds(1), othersRunning: 0)) == 1)
        _ = batch.flushed(rejected: [], stuck: [0], at: .seconds(1))
        // The next one has its try after a while, so that there is time for what is not stuck.
        batch.add(5, at: .milliseconds(1100))
        #expect(flush(batch.decide(at: .milliseconds(1100), othersRunning: 0)) == [5])
        _ = batch.flushed(rejected: [])
        #expect(wait(batch.decide(at: .milliseconds(1100), othersRunning: 0)) == .milliseconds(1250))
        #expect(retry(batch.decide(at: .milliseconds(1250), othersRunning: 0)) == 3)
        _ = batch.flushed(rejected: [])
        #expect(retry(batch.decide(at: .seconds(2), othersRunning: 0)) == 1)
        #expect(batch.abandon() == [1])
        #expect(batch.isEmpty)
    }

    @Test func `a result that may have been written before it got stuck is not taken for refused`() {
        var batch = batch()
        batch.add(1, at: .zero)
        _ = batch.decide(at: .zero, othersRunning: 0)
        batch.outcomeUnknown()
        _ = batch.flushed(rejected: [], stuck: [0], at: .zero)
        _ = batch.decide(at: .seconds(1), othersRunning: 0)
        #expect(batch.flushed(rejected: [0]).map(\.mayBeWritten) == [true])
    }

    @Test func `nothing is lost, doubled or reordered through random failures`() {
        var generator = SeededGenerator(23)
        for _ in 0..<60 {
            var batch = CompletionBatch<Int>(
                enough: generator.int(0...6), most: generator.int(0...6), patience: .milliseconds(generator.int(0...5)))
            var now = Duration.zero
            var added = 0
            var written: [Int] = []
            var pending: [Int]?
            var rounds = 0
            while rounds < 300 || !batch.isEmpty, rounds < 5000 {
                rounds += 1
                now += .milliseconds(rounds < 300 ? generator.int(0...3) : 100)
                if rounds < 300, generator.chance(0.5) {
                    added += 1
                    batch.add(added, at: now)
                }
                if let items = pending, generator.chance(0.4) {
                    pending = nil
                    if generator.chance(0.3) {
                        batch.flushFailed(at: now)
                    } else {
                        written += items
                        #expect(batch.flushed(rejected: []).isEmpty)
                    }
                }
                switch batch.decide(at: now, othersRunning: generator.int(0...2)) {
                case .flush(let items):
                    #expect(pending == nil && !items.isEmpty && items.count <= batch.most)
                    pending = items
                case .retry: Issue.record("nothing was stuck")
                case .wait(let until):
                    if let until { #expect(until > now) }
                    if pending == nil, batch.waitingCount > 0 { #expect(until != nil, "it would never be written") }
                }
            }
            #expect(written == Array(1...max(1, added)))
        }
    }
}
