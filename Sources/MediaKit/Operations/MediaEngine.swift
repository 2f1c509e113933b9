import ByteIO
import CAVShim

/// Carries requests out in this process.
///
/// ```swift
/// let engine = MediaEngine()
/// let info = try await engine.run(Probe(input: "talk.mp4"))
/// ```
///
/// Thread safety: may be used from any task; jobs run at the same time, each on threads of its own.
public struct MediaEngine: MediaExecutor {
    let resolver: any MediaResolver
    private let cores: CoreBudget

    /// - Parameters:
    ///   - resolver: turns the locations in requests into sources and sinks. Default: local files, and `-` for
    ///     standard input and output.
    ///   - cores: what one job may use unless its request says otherwise. Default: what this process may use.
    public init(resolver: any MediaResolver = LocalResolver(), cores: CoreBudget = .process) {
        self.resolver = resolver
        self.cores = cores
    }

    public func execute(
        _ request: MediaRequest, progress: (@Sendable (Progress) -> Void)? = nil
    ) async throws -> MediaResult {
        let operation = request.operation
        return try await run(type(of: operation).name, operation.settings, progress: progress) { job in
            try operation.validate()
            return try operation.execute(job)
        }
    }

    /// Runs `body` on a thread of the job's own.
    ///
    /// - Throws: ``MediaError``, nothing else; the first failure of the job, with the operation's name.
    func run<R: Sendable>(
        _ name: String, _ settings: JobSettings, progress: (@Sendable (Progress) -> Void)?,
        _ body: @escaping @Sendable (Job) throws -> R
    ) async throws -> R {
        do {
            try LibavLibrary.start()
            let control = JobControl(
                budget: settings.threads.map(CoreBudget.init(cores:)) ?? cores, limits: settings.limits)
            let job = Job(control: control, resolver: resolver, progress: progress)
            return try await withTaskCancellationHandler {
                try await EngineThread.run(name: "kiln-job") {
                    do {
                        let result = try body(job)
                        job.close()
                        return result
                    } catch {
                        // The first failure is the one to report; what came after is its consequence.
                        control.fail(error)
                        job.close()
                        throw control.failure ?? MediaError.wrapping(error)
                    }
                }
            } onCancel: {
                control.cancel()
            }
        } catch {
            var failure = MediaError.wrapping(error)
            failure.operation = failure.operation ?? name
            throw failure
        }
    }
}
