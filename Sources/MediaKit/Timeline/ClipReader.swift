import CAVShim
import Synchronization

/// A clip on its way: threads of its own read, decode and normalise it, as far ahead as the channel between allows; the
/// sequence's thread takes it picture by picture with the sound of each.
///
/// Thread safety: used by the sequence's thread.
final class ClipReader {
    private let format: SequenceFormat
    private let control: JobControl
    private let name: String
    private let inbox: Inbox<TimedFrame>
    private let run: ClipRun
    private let job: Job
    private let demuxer: Demuxer
    private var thread: EngineThread?
    private var registration = 0
    // Pictures
    private let wanted: Int64?
    private var position: Int64 = 0
    private var current: Frame?
    private var currentPlace: Int64 = 0
    private var next: (frame: Frame, place: Int64)?
    private var picturesEnded = false
    // Sound
    private var queue: SoundQueue
    private var soundBegan = false
    private var soundEnded: Bool

    /// Starts to read a clip.
    init(
        _ clip: SequenceClip, _ format: SequenceFormat, wantsSound: Bool, tolerance: Tolerance, job: Job
    ) throws {
        let demuxer = try clip.open(job)
        let inbox = Self.makeInbox()
        let hasSound = wantsSound && format.channels > 0 && clip.sound != nil
        let graph = try clip.graph(
            demuxer, format, budget: job.control.budget, pictures: InboxTarget(inbox, pad: 0),
            sound: hasSound ? InboxTarget(inbox, pad: 1) : nil)
        self.format = format
        self.job = job
        self.demuxer = demuxer
        self.inbox = inbox
        control = job.control
        name = demuxer.name
        wanted = clip.stillSeconds.map { max(1, format.pictures(in: $0)) }
        queue = SoundQueue(channels: format.channels)
        soundEnded = !hasSound
        run = ClipRun(graph: graph, demuxer: demuxer, tolerance: tolerance, control: job.control)
        try start()
    }

    /// Starts to read a file's sound alone.
    init(soundOf location: String, _ format: SequenceFormat, tolerance: Tolerance, job: Job) throws {
        let demuxer = try job.open(location, analysis: .headerIfSoundIsKnown)
        guard let stream = try StreamSelection().chooseAudio(demuxer).first else {
            throw MediaError(.badInput, "there is no sound in it", input: demuxer.name)
        }
        let inbox = Self.makeInbox()
        var graph = MediaGraph()
        graph.addSound(
            stream, window: MediaGraph.Window(origin: demuxer.presentationStart), format,
            target: InboxTarget(inbox, pad: 1))
        self.format = format
        self.job = job
        self.demuxer = demuxer
        self.inbox = inbox
        control = job.control
        name = demuxer.name
        wanted = 0
        picturesEnded = true
        queue = SoundQueue(channels: format.channels)
        soundEnded = false
        run = ClipRun(graph: graph, demuxer: demuxer, tolerance: tolerance, control: job.control)
        try start()
    }

    deinit { stop() }

    private static func makeInbox() -> Inbox<TimedFrame> {
        Inbox(pads: 2, items: 4, bytes: ChannelBounds.pictures.bytes, totalBytes: ChannelBounds.total)
    }

    private func start() throws {
        let inbox = inbox, run = run
        registration = control.onStop { inbox.close() }
        thread = try EngineThread(name: "kiln-clip") {
            run.execute()
            // Whatever was not opened has not been finished either.
            inbox.finish(pad: 0)
            inbox.finish(pad: 1)
        }
    }

    /// Seconds of sound behind the last picture that are still read.
    private static let longestRest = 10

    /// Ends the reading wherever it is, and waits for its threads.
    func stop() {
        guard let thread else { return }
        self.thread = nil
        inbox.close()
        thread.join()
        control.forget(registration)
        job.countRead(demuxer)
    }

    /// To be called after all was read.
    ///
    /// - Throws: `bad_input` where more was lost than the tolerance allows.
    func finish() throws {
        // There may be sound behind the last picture, which is dropped. A little is usual; of hours, the rest is not read,
        // and then nobody can say whether it was whole.
        var dropped = 0
        while !soundEnded, dropped < format.sampleRate * Self.longestRest {
            let count = try nextSound(format.sampleRate).first?.count ?? 0
            dropped += max(1, count)
        }
        let isWhole = soundEnded
        stop()
        try control.checkpoint()
        if isWhole { try run.judge() }
    }

    // MARK: Pictures

    /// What is shown at the next place of the sequence's rate; `nil` behind the clip's end.
    func nextPicture() throws -> Frame? {
        if let wanted, position >= wanted { return nil }
        while true {
            if next == nil, !picturesEnded { try receivePicture() }
            // What begins later than the clip covers its beginning.
            guard let next, next.place <= position || current == nil else { break }
            current = next.frame
            currentPlace = next.place
            self.next = nil
        }
        guard let current else { throw MediaError(.badInput, "there are no pictures in it", input: name) }
        // Only a still goes on behind its last picture.
        if picturesEnded, next == nil, wanted == nil, position > currentPlace { return nil }
        position += 1
        return try current.ref()
    }

    private func receivePicture() throws {
        guard let timed = try receive(pad: 0) else {
            picturesEnded = true
            return
        }
        let place = timed.timeBase.rescale(timed.frame.pts ?? 0, to: format.frameRate.inverse)
        next = (timed.frame, place)
    }

    // MARK: Sound

    /// The next samples; behind its end as many as are left.
    func nextSound(_ count: Int) throws -> [[Float]] {
        while queue.count < count, !soundEnded {
            guard let timed = try receive(pad: 1) else {
                soundEnded = true
                break
            }
            var samples = timed.frame.planarSamples
            if !soundBegan {
                soundBegan = true
                // Only the first can lie elsewhere: a timeline has made the rest continuous.
                let start = timed.timeBase.rescale(timed.frame.pts ?? 0, to: Rational(1, Int32(format.sampleRate)))
                if start > 0 {
                    queue.appendSilence(Int(min(start, Int64(format.sampleRate) * 3600)))
                } else if start < 0 {
                    samples = samples.map { Array($0.dropFirst(Int(min(-start, Int64($0.count))))) }
                }
            }
            queue.append(samples)
        }
        return queue.take(count)
    }

    /// The next samples; behind its end silence.
    func paddedSound(_ count: Int) throws -> [[Float]] {
        var samples = try nextSound(count)
        for index in samples.indices { samples[index] += repeatElement(0, count: count - samples[index].count) }
        return samples
    }

    private func receive(pad: Int) throws -> TimedFrame? {
        switch inbox.receive(pad: pad) {
        case .item(let timed): return timed
        case .finished:
            // A failure has finished it as well.
            try control.checkpoint()
            return nil
        case .pressed:
            throw MediaError(
                .resourceLimit, "its pictures and sound are interleaved too badly to be held in memory",
                hint: "remux it first", input: name)
        case .closed:
            throw control.failure ?? MediaError(.cancelled, "cancelled")
        }
    }
}

/// The part of a reader that its own thread runs.
///
// Safe to send: `execute` is called by one thread, and the report is read after it was joined.
private final class ClipRun: @unchecked Sendable {
    private let graph: MediaGraph
    private let demuxer: Demuxer
    private let tolerance: Tolerance
    private let control: JobControl
    private var report: GraphRunner.Report?

    init(graph: MediaGraph, demuxer: Demuxer, tolerance: Tolerance, control: JobControl) {
        self.graph = graph
        self.demuxer = demuxer
        self.tolerance = tolerance
        self.control = control
    }

    func execute() {
        do {
            report = try GraphRunner(
                graph: graph, demuxers: [demuxer], targets: [], tolerance: tolerance, control: control
            ).run()
        } catch {
            control.fail(MediaError.wrapping(error).naming(demuxer.name))
        }
    }

    func judge() throws {
        guard let report else { return }
        try InputVerdict(tolerance: tolerance, demuxer: demuxer, control: control).judge(graph: graph, report: report)
    }
}

/// Puts a branch's frames into one pad of an inbox.
///
/// Thread safety: used by the branch's thread.
private final class InboxTarget: BranchTarget, @unchecked Sendable {
    // Safe to send: the time base belongs to the branch's thread alone.
    let frameSize: Int? = nil
    private let inbox: Inbox<TimedFrame>
    private let pad: Int
    private var timeBase = Rational.microseconds

    init(_ inbox: Inbox<TimedFrame>, pad: Int) {
        self.inbox = inbox
        self.pad = pad
    }

    func open(format: FrameFormat, first: Frame) throws -> Int? {
        timeBase = format.timeBase
        return nil
    }

    func send(_ frame: Frame) -> Bool {
        inbox.send(TimedFrame(frame: frame, timeBase: timeBase), bytes: frame.byteCount, pad: pad)
    }

    func finish() { inbox.finish(pad: pad) }
}
