import ArgumentParser
import FoundationEssentials
import Glibc
import MediaKit
import Providers
import Transfer

/// `Benchmarks speech`: how much of what is said each recogniser hears, and what it takes.
struct SpeechBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speech", abstract: "Word error rate, CPU and speed of the recognisers.",
        discussion: """
            Without recordings: those of the media folder, else a voice made on the spot. whisper needs WHISPER_MODEL, and \
            WHISPER_LIBRARY where it is not the system's. openai is measured only if --engine names it, since it costs: \
            OPENAI_API_KEY, OPENAI_BASE_URL, KILN_SPEECH_MODEL.
            """)

    enum Engine: String, CaseIterable, ExpressibleByArgument {
        case pocketsphinx, whisper, openai
    }

    @Argument(help: "Recordings, each with its words in a file .txt beside it.")
    var recordings: [String] = []

    @Option(
        help: "Only this one: \(Engine.allCases.map(\.rawValue).joined(separator: ", ")). May be given several times.")
    var engine: [Engine] = []

    @Option(help: "Measured rounds.")
    var rounds = 1

    @Flag(help: "Shows what was heard.")
    var text = false

    @Option(help: "Writes the figures and the environment to this file.")
    var json: String?

    func validate() throws {
        guard rounds >= 1 else { throw ValidationError("--rounds must be at least 1") }
    }

    private static let method = [
        "WER: words put in, left out and replaced, over the words said; without case and punctuation. A number in digits is"
            + " not the number in words.",
        "CPU: user and system time of this process; speed: seconds of the recording by those of the clock. Models are in"
            + " memory before, by two seconds of the same recording. Medians of the rounds.",
    ]

    func run() async throws {
        let scratch = try ScratchFolder(), given = recordings
        let inputs = try await offPool { try SpeechInputs(given: given, scratch: scratch) }
        let transcribers = try self.transcribers()
        guard !transcribers.isEmpty else {
            throw ValidationError("no engine: install pocketsphinx-en-us, or set WHISPER_MODEL")
        }
        var report = SpeechReport(method: Self.method, environment: Environment())
        (report.environment.lines + [""] + report.method + ["", SpeechReport.header]).forEach { print($0) }
        for transcriber in transcribers {
            for recording in inputs.recordings {
                let result = try await measure(transcriber, recording)
                report.cases.append(result)
                print(SpeechReport.line(of: result))
                fflush(nil)
            }
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try String(decoding: try encoder.encode(report), as: UTF8.self).write(
                toFile: json, atomically: true, encoding: .utf8)
            print("\(json) written")
        }
    }

    private func measure(
        _ transcriber: any Transcriber, _ recording: SpeechInputs.Recording
    ) async throws -> SpeechReport.Case {
        let media = MediaEngine()
        var request = TranscriptionRequest(input: recording.path, language: "en")
        request.end = 2
        _ = try await transcriber.transcribe(request, media: media, progress: nil)
        request.end = nil
        var runs: [Run] = []
        var last: Transcription?
        for _ in 0..<rounds {
            let before = Self.usage(), started = ContinuousClock.now
            let made = try await transcriber.transcribe(request, media: media, progress: nil)
            let wall = (ContinuousClock.now - started) / .seconds(1), after = Self.usage()
            runs.append(
                Run(
                    cpuSeconds: after.cpuSeconds - before.cpuSeconds, wallSeconds: wall,
                    peakBytes: Int64(after.ru_maxrss) << 10, bytesRead: made.usage.bytesRead))
            last = made
        }
        guard let last else { throw ExitCode.failure }
        let heard = last.transcript.segments.map(\.text).joined(separator: " ")
        if text { print("\(recording.name): \(heard)") }
        return SpeechReport.Case(
            recording: recording.name, seconds: last.transcript.duration, transcription: last,
            errors: WordErrorRate(of: heard, against: recording.text), run: Run.median(of: runs))
    }

    /// Those that are asked for, else those that can be had for nothing.
    private func transcribers() throws -> [any Transcriber] {
        let environment = ProcessInfo.processInfo.environment
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var found: [any Transcriber] = []
        let folder = value("POCKETSPHINX_MODEL") ?? PocketSphinxModel.usualFolder
        if engine.contains(.pocketsphinx) || engine.isEmpty && FileManager.default.fileExists(atPath: folder) {
            found.append(PocketSphinxTranscriber(modelFolder: folder))
        }
        if engine.contains(.whisper) || engine.isEmpty && value("WHISPER_MODEL") != nil {
            guard let model = value("WHISPER_MODEL") else {
                throw ValidationError("WHISPER_MODEL names no model, such as ggml-base.bin")
            }
            found.append(
                WhisperTranscriber(
                    model: model, library: value("WHISPER_LIBRARY"), threads: CoreBudget.process.cores))
        }
        if engine.contains(.openai) { found.append(try openAI(value)) }
        return found
    }

    private func openAI(_ value: (String) -> String?) throws -> OpenAITranscriber {
        let baseURL = value("OPENAI_BASE_URL")
        guard value("OPENAI_API_KEY") != nil || baseURL != nil else {
            throw ValidationError("OPENAI_API_KEY is not set")
        }
        return OpenAITranscriber(
            settings: OpenAISettings(
                key: value("OPENAI_API_KEY"), baseURL: try HTTPURL(baseURL ?? "https://api.openai.com/v1")),
            model: value("KILN_SPEECH_MODEL") ?? "whisper-1", client: try HTTPClient())
    }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }
}
