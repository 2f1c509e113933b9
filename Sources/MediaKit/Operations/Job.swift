import ByteIO
import Glibc

/// What an operation works with while it runs: inputs to open, outputs to make, and whom to tell.
///
// Safe to send: used by the job's thread; `control` may be used by any.
final class Job: @unchecked Sendable {
    let control: JobControl
    let progress: (@Sendable (Progress) -> Void)?
    private let resolver: any MediaResolver
    private var sinks: [any ByteSink] = []
    private let startedAt = ContinuousClock.now
    private let cpuAtStart = Job.processCPU()
    private(set) var bytesRead: Int64 = 0

    init(control: JobControl, resolver: any MediaResolver, progress: (@Sendable (Progress) -> Void)?) {
        self.control = control
        self.resolver = resolver
        self.progress = progress
    }

    func source(_ location: String) throws -> any ByteSource {
        do {
            let source = try resolver.source(for: location)
            // Subtitles and fonts are read without a bridge.
            control.onStop { [weak source] in source?.cancel() }
            return source
        } catch {
            var failure = MediaError.wrapping(error, input: location.shownLocation)
            // Not being allowed to read is the input's matter, not the output's.
            if failure.code == .cannotCreate { failure.code = .notFound }
            throw failure
        }
    }

    func open(_ location: String, analysis: Demuxer.Analysis = .full) throws -> Demuxer {
        try Demuxer(source: try source(location), control: control, analysis: analysis)
    }

    /// A sink, which is aborted by `close` unless it was finished.
    func sink(_ location: String, overwrite: Bool) throws -> any ByteSink {
        do {
            let sink = try resolver.sink(for: location, overwrite: overwrite)
            sinks.append(sink)
            return sink
        } catch {
            var failure = MediaError.wrapping(error, input: location.shownLocation)
            if failure.code == .notFound {
                failure.code = .cannotCreate
                failure.hint = "make its folder first"
            }
            throw failure
        }
    }

    func countRead(_ demuxer: Demuxer) { bytesRead += demuxer.bytesRead }

    /// Removes what was not finished.
    func close() {
        for sink in sinks { sink.abort() }
        sinks = []
    }

    /// Seconds on the clock, and CPU seconds of the process, since the job began.
    var elapsed: (wall: Double, cpu: Double) {
        ((ContinuousClock.now - startedAt) / .seconds(1), Self.processCPU() - cpuAtStart)
    }

    private static func processCPU() -> Double {
        // clock(3) counts microseconds on POSIX systems.
        Double(clock()) / 1e6
    }
}
