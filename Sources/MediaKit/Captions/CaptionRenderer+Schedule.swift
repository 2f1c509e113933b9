/// When something can be on screen, worked out once from the events' times.
///
/// Between two neighbouring starts or ends the set of events does not change. Unless one of them moves by itself, the
/// picture does not either, and libass need not be asked again.
struct CaptionSchedule {
    /// From `start` until the next segment's start, in milliseconds.
    struct Segment: Equatable {
        var start: Int64
        /// How many events are on screen.
        var events: Int
        /// Whether any of them changes within the segment.
        var isAnimated: Bool
    }

    struct Event {
        /// Milliseconds; `end` is the first instant without it.
        var start: Int64
        var end: Int64
        var isAnimated: Bool
    }

    private(set) var segments: [Segment] = []
    private var cursor = 0

    init(_ events: [Event]) {
        var steps: [(time: Int64, events: Int, animated: Int)] = []
        steps.reserveCapacity(events.count * 2)
        for event in events where event.end > event.start {
            steps.append((event.start, 1, event.isAnimated ? 1 : 0))
            steps.append((event.end, -1, event.isAnimated ? -1 : 0))
        }
        steps.sort { $0.time < $1.time }
        var active = 0
        var animated = 0
        for (index, step) in steps.enumerated() {
            active += step.events
            animated += step.animated
            if index + 1 < steps.count, steps[index + 1].time == step.time { continue }
            segments.append(Segment(start: step.time, events: active, isAnimated: animated > 0))
        }
    }

    /// The index of the segment at a time, or nil before the first. Quick when times come in order.
    mutating func index(at time: Int64) -> Int? {
        guard let first = segments.first, time >= first.start else { return nil }
        if segments[cursor].start > time { cursor = 0 }
        if cursor + 1 < segments.count, segments[cursor + 1].start <= time {
            var low = cursor + 1
            var high = segments.count
            // The last segment that starts at or before the time.
            while high - low > 1 {
                let middle = (low + high) / 2
                if segments[middle].start <= time { low = middle } else { high = middle }
            }
            cursor = low
        }
        return cursor
    }

    /// The first time at or after `time` when anything can be visible; nil if nothing comes any more.
    mutating func nextVisible(from time: Int64) -> Int64? {
        guard let index = index(at: time) else { return segments.first?.start }
        if segments[index].events > 0 { return time }
        return segments[(index + 1)...].first { $0.events > 0 }?.start
    }
}

extension CaptionSchedule {
    /// Whether an event's picture can change between its start and its end: karaoke, moves, fades, transforms
    /// and the scrolling effects. Errs on the side of yes.
    static func isAnimated(text: some Sequence<UInt8>, hasEffect: Bool) -> Bool {
        if hasEffect { return true }
        // \k…, \K…, \kf, \ko, \kt; \t(, \move(, \fad(, \fade(. Looked for anywhere: a false alarm costs little.
        var afterBackslash = false
        var beforeLast: UInt8 = 0
        for byte in text {
            if afterBackslash {
                switch byte {
                case UInt8(ascii: "k"), UInt8(ascii: "K"), UInt8(ascii: "t"), UInt8(ascii: "m"): return true
                case UInt8(ascii: "f"): beforeLast = byte
                default: beforeLast = 0
                }
                afterBackslash = false
            } else if beforeLast == UInt8(ascii: "f") {
                if byte == UInt8(ascii: "a") { return true }
                beforeLast = 0
            } else {
                afterBackslash = byte == UInt8(ascii: "\\")
            }
        }
        return false
    }
}
