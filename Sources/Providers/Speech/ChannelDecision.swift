import Glibc

/// Whether two channels are both sides of a call, or one recording in stereo.
///
/// Sides of a call take turns: where anything is heard, one of them is much louder than the other, now this, now that;
/// and what they hold is not alike. In stereo both are heard at the same time.
struct ChannelDecision {
    /// `nil` until enough is heard.
    private(set) var isCall: Bool?

    private let frame: Int
    private var rest: (left: [Int16], right: [Int16]) = ([], [])
    private var products = (left: 0.0, right: 0.0, both: 0.0)
    /// Frames of 100 ms.
    private var heard = 0
    private var dominated = (left: 0, right: 0)
    private var frames = 0

    init(sampleRate: Int) { frame = max(1, sampleRate / 10) }

    mutating func add(_ left: [Int16], _ right: [Int16]) {
        rest.left += left
        rest.right += right
        var start = 0
        while start + frame <= min(rest.left.count, rest.right.count) {
            addFrame(rest.left[start..<start + frame], rest.right[start..<start + frame])
            start += frame
        }
        rest.left.removeFirst(start)
        rest.right.removeFirst(start)
        decide(isLast: false)
    }

    mutating func finish() { decide(isLast: true) }

    private mutating func addFrame(_ left: ArraySlice<Int16>, _ right: ArraySlice<Int16>) {
        frames += 1
        let levels = (left: SpeechLevels.level(left), right: SpeechLevels.level(right))
        guard max(levels.left, levels.right) > -50 else { return }
        heard += 1
        if levels.left > levels.right + 10 { dominated.left += 1 }
        if levels.right > levels.left + 10 { dominated.right += 1 }
        var sums = (left: Float(0), right: Float(0), both: Float(0))
        for (a, b) in zip(left, right) {
            let (a, b) = (Float(a), Float(b))
            sums.left += a * a
            sums.right += b * b
            sums.both += a * b
        }
        products.left += Double(sums.left)
        products.right += Double(sums.right)
        products.both += Double(sums.both)
    }

    /// -1 to 1.
    private var correlation: Double {
        let power = products.left * products.right
        return power > 0 ? products.both / power.squareRoot() : 0
    }

    /// A yes after ten seconds of sound, a clear no after twenty, any after five minutes.
    private mutating func decide(isLast: Bool) {
        guard isCall == nil else { return }
        let turns = dominated.left + dominated.right
        let bothSpeak = min(dominated.left, dominated.right) * 20 >= max(heard, 1)
        if heard >= 100 || isLast, heard > 0, abs(correlation) < 0.4, turns * 2 >= heard, bothSpeak {
            isCall = true
        } else if isLast || frames >= 3000 || heard >= 200 && abs(correlation) > 0.9 {
            isCall = false
        }
    }
}
