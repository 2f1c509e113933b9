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
    private let resolver: any MediaResolver
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
        let name = type(of: operation).name
        do {
            try LibavLibrary.start()
            try operation.validate()
            let settings = operation.settings
            let control = JobControl(
                budget: settings.threads.map(CoreBudget.init(cores:)) ?? cores, limits: settings.limits)
            let job = Job(control: control, resolver: resolver, progress: progress)
            return try await withTaskCancellationHandler {
                try await EngineThread.run(name: "kiln-job") {
                    do {
                        let result = try operation.execute(job)
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
