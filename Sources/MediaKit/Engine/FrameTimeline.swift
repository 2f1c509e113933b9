import CAVShim

/// Puts decoded frames on the result's timeline: its time 0 is the window's origin.
protocol FrameTimeline {
    /// The frames that can be handed on now that `frame` is known. Cut at the window's ends.
    mutating func place(_ frame: Frame) throws -> [TimedFrame]
    /// What was held back until the end.
    mutating func finish() throws -> [TimedFrame]
    /// Whether all of the window was seen.
    var isPastEnd: Bool { get }
    /// Where the last frame ended, in microseconds.
    var reached: Int64? { get }
    /// How many frames of the usual length fit into the holes between frames that should touch.
    var missing: Int64 { get }
}

/// Pictures keep the stream's time base and their uneven distances.
struct PictureTimeline: FrameTimeline {
    private let timeBase: Rational
    private let frameRate: Rational
    private let origin: Int64
    private let end: Int64?
    private let isTrimmed: Bool
    private let keepsShownPicture: Bool
    /// Where a frame without any timestamp is put after the last.
    private let usualDuration: Int64
    private var next: Int64?
    /// The last picture before the window, which is still on screen when it begins.
    private var before: Frame?
    private var hasBegun = false
    private(set) var missing: Int64 = 0
    private(set) var isPastEnd = false
    private(set) var reached: Int64?

    init(window: MediaGraph.Window, stream: InputStream) {
        timeBase = stream.timeBase
        frameRate = stream.frameRate
        origin = Rational.microseconds.rescale(window.origin, to: timeBase)
        end = window.end.map { Rational.microseconds.rescale($0, to: stream.timeBase) }
        isTrimmed = window.isTrimmed
        keepsShownPicture = window.keepsShownPicture
        usualDuration = frameRate.isPositive ? max(1, frameRate.inverse.rescale(1, to: timeBase)) : 0
    }

    mutating func place(_ frame: Frame) throws -> [TimedFrame] {
        var time = ((frame.bestEffortTimestamp ?? frame.pts).map { $0.boundedTime - origin } ?? next ?? 0).boundedTime
        if frame.duration <= 0 || frame.duration > .farthestTime { frame.duration = usualDuration }
        if let next, usualDuration > 0, time - next > usualDuration / 2 {
            missing = min(missing + (time - next + usualDuration / 2) / usualDuration, 1 << 40)
        }
        next = time + frame.duration
        frame.pts = time
        if let end, time >= end {
            isPastEnd = true
            return try flushBefore(until: end)
        }
        if isTrimmed, time < 0 {
            before = frame
            return []
        }
        var placed: [TimedFrame] = []
        if isTrimmed, !hasBegun, time > 0 {
            if time < usualDuration, !(keepsShownPicture && before != nil && 2 * time >= usualDuration) {
                // Less than a picture is missing at the start: the first one covers it.
                before = nil
                frame.duration += time
                frame.pts = 0
                time = 0
            } else {
                placed = try flushBefore(until: time)
            }
        }
        if let end, time + frame.duration > end { frame.duration = end - time }
        reached = timeBase.rescale(time + frame.duration, to: .microseconds)
        hasBegun = true
        placed.append(TimedFrame(frame: frame, timeBase: timeBase, frameRate: frameRate))
        return placed
    }

    mutating func finish() throws -> [TimedFrame] {
        guard let before, let pts = before.pts, pts + before.duration > 0 else { return [] }
        return try flushBefore(until: end ?? pts + before.duration)
    }

    private mutating func flushBefore(until time: Int64) throws -> [TimedFrame] {
        defer { before = nil }
        guard let before, !hasBegun, time > 0 else { return [] }
        before.pts = 0
        before.duration = time
        hasBegun = true
        reached = timeBase.rescale(time, to: .microseconds)
        return [TimedFrame(frame: before, timeBase: timeBase, frameRate: frameRate)]
    }
}

/// Sound is counted in samples and made continuous: the jitter of containers with coarse clocks (Matroska's
/// milliseconds) is ignored, gaps become silence and what overlaps is cut, since encoders and formats without
/// timestamps would close a gap and lose the pictures' time.
struct SoundTimeline: FrameTimeline {
    private let streamTimeBase: Rational
    private let window: MediaGraph.Window
    private var sampleRate = 0
    private var next: Int64?
    /// Seconds of deviation from the sample count that are taken for jitter, and of a gap for one that is meant.
    private static let jitter = 0.03
    private static let longestGap = 3600.0
    /// Seconds after which the first sound is taken for one without a usable time.
    private static let latestStart = 86_400.0
    /// Its holes are filled with silence, which is what a player would do.
    let missing: Int64 = 0
    private(set) var isPastEnd = false
    private(set) var reached: Int64?

    init(window: MediaGraph.Window, streamTimeBase: Rational) {
        self.window = window
        self.streamTimeBase = streamTimeBase
    }

    mutating func place(_ frame: Frame) throws -> [TimedFrame] {
        guard frame.sampleRate > 0, frame.sampleCount > 0 else { return [] }
        let rate = Rational(1, Int32(frame.sampleRate))
        if frame.sampleRate != sampleRate {
            // A stream that changes its rate goes on at the same time, counted anew.
            next = next.map { Rational(1, Int32(max(1, sampleRate))).rescale($0, to: rate) }
            sampleRate = frame.sampleRate
        }
        let start = time(of: frame, rate: rate)
        let expected = next ?? (window.padsStart && start > 0 ? 0 : start)
        let end = start + Int64(frame.sampleCount)
        next = max(end, expected)
        var placed: [TimedFrame] = []
        if start > expected {
            // In pieces of a second that share their samples, so that an hour's gap takes a second's memory.
            let second = try frame.silence(count: min(Int(start - expected), frame.sampleRate))
            for piece in stride(from: expected, to: start, by: frame.sampleRate) where !isPastEnd {
                let count = min(start - piece, Int64(frame.sampleRate))
                let silent = try second.sampleCount == count ? second.ref() : second.samples(from: 0, count: Int(count))
                placed += try cut(silent, at: piece, from: piece, rate)
            }
        }
        placed += try cut(frame, at: start, from: max(start, expected), rate)
        return placed
    }

    /// The part of a frame that lies in the window and not before `from`.
    private mutating func cut(_ frame: Frame, at start: Int64, from: Int64, _ rate: Rational) throws -> [TimedFrame] {
        var from = from, to = start + Int64(frame.sampleCount)
        if window.isTrimmed || window.dropsPriming { from = max(from, 0) }
        if let end = window.end.map({ Rational.microseconds.rescale($0, to: rate) }) {
            if to >= end { isPastEnd = true }
            to = min(to, end)
        }
        guard from < to else { return [] }
        let kept = try frame.samples(from: Int(from - start), count: Int(to - from))
        kept.pts = from
        kept.duration = to - from
        reached = rate.rescale(to, to: .microseconds)
        return [TimedFrame(frame: kept, timeBase: rate)]
    }

    mutating func finish() throws -> [TimedFrame] { [] }

    private func time(of frame: Frame, rate: Rational) -> Int64 {
        guard let pts = frame.bestEffortTimestamp ?? frame.pts else { return next ?? 0 }
        // Both ends of the subtraction are rounded together, not apart.
        let origin = Rational.microseconds.rescale(window.origin, to: rate)
        let given = (streamTimeBase.rescale(pts, to: rate) - origin).boundedTime
        guard let next else { return Double(given) * rate.value > Self.latestStart ? 0 : given }
        let seconds = abs(Double(given) - Double(next)) * rate.value
        // Beyond the longest gap the timestamp is wrong, not the sound.
        return seconds <= Self.jitter || seconds > Self.longestGap ? next : given
    }
}

extension Frame {
    /// Silence in this frame's format.
    func silence(count: Int) throws -> Frame {
        let silent = try sound(count: count)
        try check(
            av_samples_set_silence(
                silent.raw.pointee.extended_data, 0, Int32(count), raw.pointee.ch_layout.nb_channels,
                AVSampleFormat(rawValue: raw.pointee.format)), "cannot make silence")
        return silent
    }

    /// The frame itself, or a copy of `count` samples of it from `start` on.
    func samples(from start: Int, count: Int) throws -> Frame {
        if start == 0, count == sampleCount { return self }
        let part = try sound(count: count)
        try check(
            av_samples_copy(
                part.raw.pointee.extended_data, raw.pointee.extended_data, 0, Int32(start), Int32(count),
                raw.pointee.ch_layout.nb_channels, AVSampleFormat(rawValue: raw.pointee.format)), "cannot cut sound")
        return part
    }

    /// A frame of `count` samples in this frame's format, its contents undefined.
    private func sound(count: Int) throws -> Frame {
        let frame = try Frame()
        frame.raw.pointee.format = raw.pointee.format
        frame.raw.pointee.nb_samples = Int32(count)
        frame.raw.pointee.sample_rate = raw.pointee.sample_rate
        try check(av_channel_layout_copy(&frame.raw.pointee.ch_layout, &raw.pointee.ch_layout), "no memory for sound")
        try check(av_frame_get_buffer(frame.raw, 0), "no memory for sound")
        return frame
    }
}
