import Glibc

/// Nanoseconds of a clock that all processes of a machine share.
enum SharedClock {
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static func sleep(until moment: Int64) {
        var time = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}

/// Lets bytes pass as fast as a line of limited speed.
struct Pace {
    /// `nil` for no limit.
    let bytesPerSecond: Double?
    /// When the line is done with what was put on it.
    private var free: Int64 = 0

    /// What a machine that was busy elsewhere may catch up with, in nanoseconds.
    private static let slack: Int64 = 20_000_000

    init(bytesPerSecond: Double?) { self.bytesPerSecond = bytesPerSecond }

    /// Waits until the line has carried `count` more bytes.
    mutating func carry(_ count: Int) {
        guard let bytesPerSecond else { return }
        free = max(free, SharedClock.now - Self.slack) + Int64(Double(count) / bytesPerSecond * 1e9)
        SharedClock.sleep(until: free)
    }

    /// A new request: what the line did before does not count.
    mutating func begin() { free = SharedClock.now }
}
