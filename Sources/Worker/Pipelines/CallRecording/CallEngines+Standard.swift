import FoundationEssentials
import JobQueue
import MediaKit
import Providers

extension CallEngines {
    /// By the settings.
    static let standard = CallEngines { providers in
        try providers.transcriber()
    } analyse: { transcript, providers in
        try CallAnalysis(try await InsightWriter(model: providers.chatModel()).write(transcript))
    }
}

extension CallAnalysis {
    init(_ insights: CallInsights) throws {
        content = try JSONDecoder().decode(JobQueue.JSONValue.self, from: JSONEncoder().encode(insights))
        engine = insights.engine
    }
}
