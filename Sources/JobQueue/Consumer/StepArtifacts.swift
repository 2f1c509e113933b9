public import Foundation

/// Keeps results of steps that are too large for a row, such as an object store with an expiry.
public protocol StepArtifacts: Sendable {
    /// Stores the JSON of a step's result.
    ///
    /// - Returns: a reference, which goes into the database.
    func store(_ bytes: Data, job: UUID, step: String) async throws -> String
    /// The bytes behind a reference.
    func load(_ reference: String) async throws -> Data
}
