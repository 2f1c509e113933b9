public import Foundation

/// Code around every handler: tracing, say, or the set-up of something that all of them need.
///
/// ```swift
/// struct Timing: JobMiddleware {
///     func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data? {
///         let start = ContinuousClock.now
///         defer { job.logger.info("took \(start.duration(to: .now))") }
///         return try await next()
///     }
/// }
/// ```
public protocol JobMiddleware: Sendable {
    /// - Parameter next: runs the rest; returns the result's JSON, nil for a handler without a result.
    /// - Returns: the result to store.
    func handle(_ job: JobContext, next: @Sendable () async throws -> Data?) async throws -> Data?
}
