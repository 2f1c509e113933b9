import JobQueue
import MediaKit
import Providers

/// What a call's transcript has come to.
struct CallAnalysis: Sendable, Equatable {
    /// As it is stored.
    var content: JSONValue
    /// What wrote it.
    var engine: String?

    /// One paragraph, if it has one.
    var summary: String? { content["summary"]?.string }
}

/// Who listens to calls and thinks about them: by default what the settings say.
struct CallEngines: Sendable {
    /// For so many cores.
    var transcriber: @Sendable (ServiceProviders, _ cores: Int) throws -> any Transcriber
    var analyse: @Sendable (Transcript, ServiceProviders) async throws -> CallAnalysis
}
