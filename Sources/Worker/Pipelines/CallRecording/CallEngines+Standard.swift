import FoundationEssentials
import JobQueue
import MediaKit
import Providers

extension CallEngines {
    /// By the settings.
    static let standard = CallEngines { providers, cores in
        try providers.transcriber(cores: cores)
    } analyse: { transcript, providers in
        try CallAnalysis(try await InsightWriter(model: providers.chatModel()).write(transcript))
    }
}

extension CallAnalysis {
    init(_ insights: CallInsights) throws {
        content = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(insights))
        engine = insights.engine
    }
}
