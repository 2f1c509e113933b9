import CAVShim
import Synchronization

/// The last lines that libav logged for one job.
///
/// libav's log has no notion of a job: each context that we open is marked with the job's number, as is each of our
/// threads, and lines are given out by that mark.
///
/// Thread safety: all members may be used from any thread.
final class JobLog: Sendable {
    /// The mark. Never 0, which means "nobody's".
    let job: UInt64
    private struct Held {
        var lines: [String] = []
        /// How many lines told of an error, and the first of them.
        var errors = 0
        var firstError: String?
    }
    private let held = Mutex(Held())
    private static let kept = 40

    init() {
        job = Self.next.wrappingAdd(1, ordering: .relaxed).newValue
        let weak = WeakLog(log: self)
        Self.registry.withLock { $0[job] = weak }
    }

    deinit {
        let job = job
        Self.registry.withLock { $0[job] = nil }
    }

    /// The mark as the `opaque` of a libav context.
    var mark: UnsafeMutableRawPointer? { cav_log_mark(job) }

    /// Marks the calling thread as working for this job.
    func adoptThread() { cav_log_set_thread_job(job) }

    /// The last lines, oldest first.
    func recent(_ count: Int = 10) -> [String] {
        Self.drain()
        return held.withLock { Array($0.lines.suffix(count)) }
    }

    /// How many errors libav logged, and the first of them.
    var errors: (count: Int, first: String?) {
        Self.drain()
        return held.withLock { ($0.errors, $0.firstError) }
    }

    /// Counts errors anew: those before were another input's.
    func forgetErrors() {
        Self.drain()
        held.withLock {
            $0.errors = 0
            $0.firstError = nil
        }
    }

    private func append(_ line: String, isError: Bool) {
        held.withLock { held in
            if isError {
                held.errors += 1
                if held.firstError == nil { held.firstError = line }
            }
            // A damaged stream says the same thing thousands of times.
            if held.lines.last == line { return }
            if held.lines.count == Self.kept { held.lines.removeFirst() }
            held.lines.append(line)
        }
    }

    private struct WeakLog: Sendable {
        weak let log: JobLog?
    }
    private static let next = Atomic<UInt64>(0)
    private static let registry = Mutex<[UInt64: WeakLog]>([:])
    private static let draining = Mutex<Void>(())

    /// Gives out what is in libav's ring. Called now and then by every running job.
    static func drain() {
        // The logs found are released after the lock is: the last release takes it again.
        var found: [UInt64: JobLog] = [:]
        draining.withLock { _ in
            var line = cav_log_line()
            while cav_log_take(&line) != 0 {
                guard line.job != 0 else { continue }
                let job = line.job
                let log = found[job] ?? registry.withLock { $0[job]?.log }
                guard let log else { continue }
                found[job] = log
                let text = withUnsafeBytes(of: &line.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                log.append(text, isError: line.level <= AV_LOG_ERROR)
            }
        }
    }
}
