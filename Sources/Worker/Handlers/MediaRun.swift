import FoundationEssentials
import JobQueue
import Logging
import MediaKit
import Tracing

/// Carries a media job out: finds its output's place, asks its worker for what it needs, runs the engine with the share
/// that it got, and tells how it went.
struct MediaRun: Sendable {
    let context: JobContext
    let services: JobServices
    let resolver: JobResolver
    private let streams: StreamReport
    /// What part of the job's progress the next piece of work is.
    var span = ProgressSpan()
    private let startedAt = ContinuousClock.now
    private let queueSeconds: Double

    init(_ context: JobContext, _ services: JobServices) {
        self.context = context
        self.services = services
        resolver = JobResolver(services, job: context)
        streams = StreamReport(kind: context.kindName)
        // By the clocks of two machines, which may differ by more than the wait.
        queueSeconds = max(0, Date.now.timeIntervalSince(context.runAt))
    }

    // MARK: Steps

    /// The request as it is run: with its output's place, and within the worker's limits.
    func completed<Operation: WritingOperation>(_ operation: Operation) -> Operation {
        var operation = operation
        let location = OutputPlace(context).location(
            asked: operation.output, template: services.configuration.outputs.keyTemplate,
            fileExtension: operation.outputExtension)
        operation.settleFormat()
        operation.output = location
        operation.limits = operation.limits.capped(by: services.configuration.limits)
        return operation
    }

    /// Asks for what encoding will take, once that is known. Waits until it can be had.
    ///
    /// - Returns: the request with the cores that it got.
    /// - Throws: what the probe throws; what the queue throws if it cannot be had here.
    func weighed<Operation: WritingOperation>(_ operation: Operation) async throws -> Operation {
        // What makes no sense need not look at its input first.
        try operation.validate()
        let work = services.configuration.worker
        var cores = Double(operation.threads ?? 0)
        var memory: Int64 = 0
        var found: [String: MediaInfo] = [:]
        for input in operation.weighedInputs where found[input] == nil {
            report(0, probing: true)
            found[input] = try await withSpan("probe") { _ in
                try await engine.run(Probe(input: input, limits: operation.limits))
            }
        }
        if let estimate = operation.estimate(found) {
            if operation.threads == nil { cores = max(cores, estimate.cores) }
            memory = max(memory, estimate.memory)
        }
        // More than there is in all cannot be had; the largest job has the worker to itself.
        cores = min(cores, work.cores)
        memory = min(memory, work.memory)
        if cores > context.cores || memory > context.memory {
            context.logger.info("it takes \(cores) cores and \(memory >> 20) MiB, and waits until they are free")
            context.progress(span.start, phase: "waiting")
            try await context.raise(cores: max(cores, context.cores), memory: max(memory, context.memory))
        }
        var operation = operation
        operation.threads = share.cores
        return operation
    }

    /// Runs the engine.
    func run<Operation: MediaOperation>(_ operation: Operation) async throws -> Operation.Output {
        report(0)
        return try await withSpan("process") { span in
            span.attributes["kiln.operation"] = Operation.name
            defer { streams.report(resolver.meter) }
            let part = self.span
            return try await engine.run(operation) { [context] progress in
                context.progress(part.of(progress.fraction ?? 0), phase: part.phase, details: progress)
            }
        }
    }

    /// Tells how far the current piece of work has come, 0 to 1.
    func report(_ fraction: Double, probing: Bool = false) {
        context.progress(span.of(fraction), phase: probing && span == ProgressSpan() ? "probing" : span.phase)
    }

    /// Counts what was read and written so far, for what ran the engine by itself.
    func reportStreams() { streams.report(resolver.meter) }

    // MARK: Parts of results

    /// What an output is known by, once it is there.
    func output(_ location: String, size: Int64, start: Double? = nil, duration: Double) async throws
        -> JobResult.Output
    {
        var output = try await resolver.output(
            location, size: size, publicURL: services.configuration.outputs.publicURL)
        output.start = start
        output.duration = duration
        return output
    }

    /// - Parameters:
    ///   - process: seconds that the engine worked.
    ///   - made: seconds of the result, if it has any.
    func timings(process: Double, cpu: Double? = nil, made: Double? = nil) -> JobResult.Timings {
        let speed = made.flatMap { process > 0 ? $0 / process : nil }
        if let made { streams.metrics.made(seconds: made, speed: speed) }
        return JobResult.Timings(
            queue: queueSeconds, read: resolver.meter.read.seconds, process: process,
            write: resolver.meter.written.seconds, total: elapsed, cpu: cpu, speed: speed)
    }

    /// Seconds since the attempt's start.
    var elapsed: Double { (ContinuousClock.now - startedAt) / .seconds(1) }

    /// The cores that the job has of its worker.
    private var share: CoreBudget {
        // A job that alone is more than the worker has is run all the same.
        let cores = min(context.cores, services.configuration.worker.cores)
        return CoreBudget(cores: Int(max(1, cores.rounded(.up))))
    }

    /// Reads and writes what the job's locations mean.
    var engine: MediaEngine { MediaEngine(resolver: resolver, cores: share) }
}

extension MediaRun {
    /// Carries out what makes one file of pictures or sound.
    func render<Operation: OutputOperation>(_ operation: Operation) async throws -> JobResult
    where Operation.Output == RenderResult {
        let request = try await weighed(completed(operation))
        return try await result(of: try await run(request), at: request.output)
    }

    /// What a job answers that made one file.
    func result(of made: RenderResult, at location: String) async throws -> JobResult {
        var result = JobResult(
            timings: timings(process: made.wallSeconds, cpu: made.cpuSeconds, made: made.duration))
        result.take([try await output(location, size: made.bytes, duration: made.duration)])
        result.duration = made.duration
        result.container = made.container.rawValue
        result.streams = made.streams.map { JobResult.Stream($0) }
        result.warnings = made.warnings
        return result
    }
}

/// A piece of a job's work, as part of the whole.
struct ProgressSpan: Sendable, Hashable {
    /// 0 to 1: where the job stands when it begins, and when it is over.
    var start = 0.0
    var end = 1.0
    /// What people see of it.
    var phase = "processing"

    func of(_ fraction: Double) -> Double { start + (end - start) * min(max(fraction, 0), 1) }
}
