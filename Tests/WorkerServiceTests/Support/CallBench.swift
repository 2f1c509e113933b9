import Foundation
import JobQueue
import Locking
import MediaKit
import PostgresTestSupport
import ProviderTestSupport
import Providers
import Server
import ServiceLifecycle
import ServiceTestSupport

@testable import Worker

/// A bench with Twilio's side, the tables of calls, and engines that count.
struct CallBench: QueueBench {
    let bench: ServiceBench
    let twilio: TwilioStandIn
    let speech = CountingSpeech()
    let analyses = Locked(0)
    /// Answers that fail before one succeeds.
    let failingAnalyses = Locked(0)

    var database: TestDatabase { bench.database }
    var queue: QueueClient { bench.queue }

    init() async throws {
        var bench = try await ServiceBench()
        let twilio = try TwilioStandIn()
        bench.configuration.providers.twilio.authToken = TwilioStandIn.token
        bench.configuration.providers.twilio.hosts = [twilio.origin]
        try await CallSchema.migrations(bench.database.url).migrate(roles: .create())
        self.bench = bench
        self.twilio = twilio
    }

    init(_ other: CallBench, _ change: (inout WorkerConfiguration) -> Void) {
        var bench = other.bench
        change(&bench.configuration)
        self.bench = bench
        twilio = other.twilio
    }

    /// A recording with its two sides.
    func record(_ recording: TwilioStandIn.Recording? = nil) -> String {
        let sid = TwilioStandIn.recordingSid()
        twilio[sid] = recording ?? .init(wav: CallSound.wav(seconds: 1, tones: [440, 880]))
        return sid
    }

    func enqueue(_ sid: String, _ more: String = "", url: String? = nil) async throws -> JobID {
        try await bench.enqueue(
            CallRecording.name,
            #"{"recordingUrl": "\#(url ?? twilio.url(of: sid))", "accountSid": "\#(TwilioStandIn.account)"\#(more)}"#)
    }

    var engines: CallEngines {
        CallEngines { [speech] _, _ in
            speech
        } analyse: { [analyses, failingAnalyses] transcript, _ in
            let fails = failingAnalyses.withLock { count in
                defer { count = max(0, count - 1) }
                return count > 0
            }
            if fails { throw ProviderError(.unavailable, "it is down", provider: "chat") }
            analyses.withLock { $0 += 1 }
            return try CallAnalysis(try await InsightWriter(model: nil).write(transcript))
        }
    }

    func serving<R: Sendable>(
        middlewares: [any JobMiddleware] = [], _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await bench.serving(middlewares: middlewares, callEngines: engines) { _ in try await body() }
    }

    func done(_ id: JobID) async throws -> CallRecording.Answer {
        try await queue.wait(for: id, as: CallRecording.Answer.self, timeout: .seconds(120))
    }
}

/// Hears on each channel what is agreed on, once it has seen that the sound is there.
final class CountingSpeech: Transcriber {
    let engineName = "test:speech"
    let quality = Transcript.Quality.standard
    private struct State {
        var requests: [TranscriptionRequest] = []
        var error: (any Error)?
        var errors = 0
    }
    private let state = Locked(State())
    /// Awaited before it listens.
    let gate = Locked<(@Sendable () async throws -> Void)?>(nil)

    /// What is said last.
    let farewell = Locked("Thank you.")

    /// What succeeded.
    var requests: [TranscriptionRequest] { state.withLock { $0.requests } }

    func fail(_ times: Int, _ error: any Error = ProviderError(.unavailable, "it is down", provider: "speech")) {
        state.withLock { ($0.errors, $0.error) = (times, error) }
    }

    func transcribe(
        _ request: TranscriptionRequest, media: MediaEngine, progress: (@Sendable (Double) -> Void)?
    ) async throws -> Transcription {
        let error = state.withLock { state -> (any Error)? in
            guard state.errors > 0 else { return nil }
            state.errors -= 1
            return state.error
        }
        if let error { throw error }
        let info = try await media.run(Probe(input: request.input))
        try await gate.withLock { $0 }?()
        progress?(1)
        state.withLock { $0.requests.append(request) }
        let apart = request.channels == .separate
        func segment(_ start: Double, _ text: String, _ channel: Int) -> Transcript.Segment {
            .init(
                start: start, end: start + 1, text: text, speaker: apart ? request.speakers[channel] : nil,
                channel: apart ? channel : nil)
        }
        let transcript = Transcript(
            engine: engineName, quality: quality, language: "en", duration: info.duration ?? 0,
            segments: [
                segment(0, "Good morning, my order 4711 has not arrived.", 0),
                segment(1, "I am sorry. I will send it again on Friday.", 1),
                segment(2, farewell.withLock { $0 }, 0),
            ])
        return Transcription(transcript: transcript, usage: .init(audioSeconds: 2, requests: 1, bytesRead: 0))
    }
}
