import FoundationEssentials
import JobQueue
import MediaKit
import Providers
import Tracing

/// Recognises speech for a job, and writes what was recognised: a job of its own, or a step of a larger one.
struct SpeechRun: Sendable {
    let run: MediaRun

    init(_ run: MediaRun) { self.run = run }

    /// Recognises a recording that is read where it is. Waits until the worker has the cores for it.
    ///
    /// - Parameters:
    ///   - engine: `nil` for the one that is set.
    /// - Throws: ``MediaError``, ``ProviderError``, what the queue throws.
    func transcribe(
        _ request: TranscriptionRequest, engine: ServiceProviders.SpeechEngine? = nil
    ) async throws -> Transcription {
        let providers = run.services.providers
        let work = run.services.configuration.worker
        let weight = providers.speechWeight(engine)
        let (cores, memory) = (min(weight.cores, work.cores), min(weight.memory, work.memory))
        if cores > run.context.cores || memory > run.context.memory {
            run.context.progress(run.span.start, phase: "waiting")
            try await run.context.raise(cores: max(cores, run.context.cores), memory: max(memory, run.context.memory))
        }
        let transcriber = try providers.transcriber(engine, cores: Int(max(1, run.context.cores.rounded(.up))))
        run.report(0)
        return try await withSpan("transcribe") { span in
            span.attributes["kiln.engine"] = transcriber.engineName
            defer { run.reportStreams() }
            return try await transcriber.transcribe(request, media: run.engine) { [run] in run.report($0) }
        }
    }

    /// Looks whether the outputs of `write` are free: an hour of listening must not end in "exists already".
    func tryOutputs(_ formats: [TranscriptFormat], to asked: String, overwrite: Bool) async throws {
        for format in formats {
            try await run.resolver.claim(location(of: format, asked: asked), overwrite: overwrite)
        }
    }

    /// Writes a transcript, once in each format.
    ///
    /// - Parameters:
    ///   - asked: where to, as a payload says it; empty for a key of the job's own. Ending and `{extension}` become each
    ///     format's.
    /// - Returns: the outputs in the order of the formats.
    func write(
        _ transcript: Transcript, as formats: [TranscriptFormat], rules: CaptionRules = CaptionRules(),
        to asked: String, overwrite: Bool = false
    ) async throws -> [JobResult.Output] {
        var outputs: [JobResult.Output] = []
        for format in formats {
            let text = try transcript.written(as: format, rules: rules)
            let location = location(of: format, asked: asked)
            var output = try await run.write(Array(text.utf8), to: location, overwrite: overwrite)
            output.duration = transcript.duration
            outputs.append(output)
        }
        return outputs
    }

    private func location(of format: TranscriptFormat, asked: String) -> String {
        OutputPlace(run.context).location(
            asked: asked.isEmpty ? "" : Self.template(asked),
            template: Self.template(run.services.configuration.outputs.keyTemplate),
            fileExtension: format.fileExtension)
    }

    /// Formats must not fall on one name.
    static func template(_ text: String) -> String {
        guard !text.contains("{extension}") else { return text }
        guard TranscriptFormat(fileName: text) != nil, let dot = text.lastIndex(of: ".") else {
            return text + ".{extension}"
        }
        return text[..<dot] + ".{extension}"
    }
}
