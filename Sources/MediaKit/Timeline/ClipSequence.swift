import CAVShim

/// Clips one after another, as one stream of pictures at a constant rate and one of sound that never leaves it.
///
/// One clip is open at a time. A cross-fade holds the end of a clip, pictures and sound, until the next has begun.
///
// Safe to send: used by the feed's thread alone.
final class ClipSequence: FrameFeed, @unchecked Sendable {
    struct Plan: Sendable {
        var clips: [SequenceClip]
        var format: SequenceFormat
        var transition = CrossFade.Transition.fade
        /// Pictures that the fade behind each clip takes; the last one's is that to the first, where it is repeated.
        var fades: [Int]
        /// Whether it begins again after its last clip.
        var repeats = false
        /// Samples after which it ends.
        var length: Int64?
        /// Sound that it ends with, unless `length` is given.
        var sound: String?
        /// Whether that sound is heard instead of the clips' own.
        var replacesSound = true
        var tolerance = Tolerance()
    }

    /// A picture with its sound.
    private struct Slot {
        var picture: Frame
        var sound: [[Float]]
    }

    private let plan: Plan
    private let job: Job
    private var outlets: [FeedOutlet] = []
    private var clock: ClipReader?
    private var written: Int64 = 0

    init(_ plan: Plan, job: Job) {
        self.plan = plan
        self.job = job
    }

    private var format: SequenceFormat { plan.format }

    func run(_ outlets: [FeedOutlet]) throws {
        self.outlets = outlets
        clock = try plan.sound.map {
            try ClipReader(soundOf: $0, format, tolerance: plan.tolerance, job: job)
        }
        defer {
            clock?.stop()
            clock = nil
        }
        try playAll()
        // A sound that breaks off is no silent success either.
        try clock?.finish()
    }

    private func playAll() throws {
        var tail: [Slot] = []
        var number = 0
        while plan.repeats || number < plan.clips.count {
            let index = number % plan.clips.count
            let isLast = !plan.repeats && index == plan.clips.count - 1
            let rest = try play(plan.clips[index], after: tail, holding: isLast ? 0 : plan.fades[index])
            guard let rest else { return }
            tail = rest
            number += 1
        }
        for slot in tail { guard try emit(slot) else { return } }
    }

    /// Sends a clip.
    ///
    /// - Parameters:
    ///   - tail: the end of the clip before, which this one's beginning is mixed with.
    ///   - count: pictures to hold at its end.
    /// - Returns: what was held; `nil` if nothing more is wanted.
    private func play(_ clip: SequenceClip, after tail: [Slot], holding count: Int) throws -> [Slot]? {
        // The verdict on a clip looks at what was complained of while it was read.
        job.control.log.forgetErrors()
        let reader = try ClipReader(
            clip, format, wantsSound: outlets.count > 1 && !(plan.sound != nil && plan.replacesSound),
            tolerance: plan.tolerance, job: job)
        defer { reader.stop() }
        guard try fade(tail, into: reader) else { return nil }
        var held: [Slot] = []
        while let slot = try next(of: reader, at: written + Int64(held.count)) {
            held.append(slot)
            if held.count > count { guard try emit(held.removeFirst()) else { return nil } }
        }
        try reader.finish()
        return held
    }

    private func fade(_ tail: [Slot], into reader: ClipReader) throws -> Bool {
        guard let first = tail.first else { return true }
        let samples = format.samples(before: written + Int64(tail.count)) - format.samples(before: written)
        let mixer = try CrossFadeMixer(
            plan.transition, pictures: tail.count, samples: Int(samples), like: first.picture, format,
            control: job.control)
        var last: Slot?
        for ending in tail {
            var beginning = try next(of: reader, at: written)
            if beginning == nil, let last {
                // It is shorter than its header said: its last picture stays.
                beginning = Slot(picture: try last.picture.ref(), sound: silence(at: written))
            }
            guard let beginning else { return true }
            last = Slot(picture: try beginning.picture.ref(), sound: [])
            let mixed = Slot(
                picture: try mixer.mix(ending.picture, beginning.picture),
                sound: mixer.mix(ending.sound, beginning.sound))
            guard try emit(mixed) else { return false }
        }
        return true
    }

    private func next(of reader: ClipReader, at place: Int64) throws -> Slot? {
        try job.control.checkpoint()
        guard let picture = try reader.nextPicture() else { return nil }
        let count = format.samples(before: place + 1) - format.samples(before: place)
        return Slot(picture: picture, sound: format.channels > 0 ? try reader.paddedSound(Int(count)) : [])
    }

    private func silence(at place: Int64) -> [[Float]] {
        let count = format.samples(before: place + 1) - format.samples(before: place)
        return Array(repeating: Array(repeating: 0, count: Int(count)), count: format.channels)
    }

    /// Sends a picture with its sound, cut where the sequence ends.
    ///
    /// - Returns: false if nothing more is wanted.
    private func emit(_ slot: Slot) throws -> Bool {
        let start = format.samples(before: written)
        let whole = format.samples(before: written + 1)
        var end = min(whole, plan.length ?? .max)
        guard end > start else { return false }
        var sound = slot.sound
        if let clock {
            var given = try clock.nextSound(Int(end - start))
            let count = given.first?.count ?? 0
            if plan.length == nil { end = start + Int64(count) }
            guard end > start else { return false }
            if plan.replacesSound {
                for index in given.indices {
                    given[index] += repeatElement(0, count: Int(end - start) - given[index].count)
                }
                sound = given
            }
        }
        let time = format.time(of: written)
        slot.picture.pts = time
        slot.picture.duration = max(
            1, (end == whole ? format.time(of: written + 1) : format.time(ofSample: end)) - time)
        guard
            outlets[0].send(
                TimedFrame(frame: slot.picture, timeBase: format.timeBase, frameRate: format.frameRate))
        else { return false }
        if outlets.count > 1, let layout = format.channelLayout {
            let frame = try Frame.sound(
                sound.map { Array($0.prefix(Int(end - start))) }, sampleRate: format.sampleRate, layout: layout)
            frame.pts = start
            frame.duration = end - start
            let timed = TimedFrame(frame: frame, timeBase: Rational(1, Int32(format.sampleRate)))
            guard outlets[1].send(timed) else { return false }
        }
        written += 1
        return end == whole && end != plan.length
    }
}
