import Foundation

/// Decides when a client asks the database about the jobs and workflows that its tasks wait for.
///
/// Of one that is new it asks at once, and again a little later: an end that was under way when the database wrote
/// down that somebody waits tells nobody. From then on once a second, for all together, which is also the safety net
/// should a notification be lost. While nobody listens the intervals grow slowly, so that short jobs are seen soon.
///
/// Times are durations since any fixed start of a monotonic clock.
struct WaitSchedule: Sendable {
    private struct Entry: Sendable {
        var waiting: Set<Int>
        var interval: Duration
        var lookAt: Duration
    }

    /// The first interval.
    private let first: Duration
    /// The longest.
    private let most: Duration

    private var entries: [UUID: Entry] = [:]
    private var count = 0
    /// What nobody waits for any more, and the database does not know.
    private var left: [UUID] = []
    /// Whether ends are announced.
    private(set) var isListening = false

    init(first: Duration = .milliseconds(10), most: Duration = .seconds(1)) {
        self.first = first
        self.most = most
    }

    var isEmpty: Bool { entries.isEmpty }

    /// - Returns: a number for ``leave(_:_:)``.
    mutating func enter(_ subject: UUID, at now: Duration) -> Int {
        count += 1
        if entries[subject] != nil {
            entries[subject]?.waiting.insert(count)
        } else {
            entries[subject] = Entry(waiting: [count], interval: first, lookAt: now)
        }
        return count
    }

    mutating func leave(_ subject: UUID, _ number: Int) {
        entries[subject]?.waiting.remove(number)
        guard entries[subject]?.waiting.isEmpty == true else { return }
        entries[subject] = nil
        left.append(subject)
    }

    /// Whether notifications come from now on. What ended while they did not has told nobody.
    mutating func listening(_ isListening: Bool, at now: Duration) {
        self.isListening = isListening
        for id in entries.keys {
            entries[id]?.interval = first
            entries[id]?.lookAt = now
        }
    }

    /// What to ask about now, counted as asked; and what to take back before.
    mutating func due(at now: Duration) -> (look: [UUID], left: [UUID]) {
        var look: [UUID] = []
        for (id, entry) in entries where entry.lookAt <= now {
            look.append(id)
            // On the second, so that all that are old are asked about together.
            let onTheSecond = .seconds(now.components.seconds) + most
            entries[id]?.lookAt = entry.interval < most ? now + entry.interval : onTheSecond
            entries[id]?.interval = min(entry.interval * (isListening ? 10 : 1.5), most)
        }
        defer { left = [] }
        // One that came back is asked about again.
        return (look, left.filter { entries[$0] == nil })
    }

    /// When to call ``due(at:)`` again; nil: not before somebody enters.
    var next: Duration? { entries.values.lazy.map(\.lookAt).min() }
}
