public import ArgumentParser
import ByteIO
public import MediaKit
public import Providers
import Transfer

extension TranscriptFormat: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
}

extension TranscriptionRequest.Channels: ExpressibleByArgument {}
extension WorkerConfiguration.Providers.Speech.Engine: ExpressibleByArgument {}

struct TranscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcribe", abstract: "Recognise speech, and write it as subtitles, JSON or text.",
        discussion: """
            The engine is openai with OPENAI_API_KEY, else whisper with WHISPER_MODEL, else pocketsphinx, which is a \
            draft. Of an MP4 or MOV only the sound is read.

              kiln transcribe talk.mp4 talk.srt
              kiln transcribe talk.mp4 talk.vtt talk.json --engine whisper --language de
              kiln transcribe call.wav - --format txt --channels separate --speakers Caller,Agent
            """)

    @Argument(help: "The file to read: a path, a URL (s3, https, http, store) or - for standard input.")
    var input: String
    @Argument(help: "What to write: srt, vtt, ass, json or txt by its ending, or -. Several may be given.")
    var outputs: [String]
    @Option(help: "srt, vtt, ass, json or txt (default: by each output's name; of -, srt).")
    var format: TranscriptFormat?
    @Option(help: "auto, openai, whisper or pocketsphinx (default: as the settings say).")
    var engine: WorkerConfiguration.Providers.Speech.Engine?
    @Option(help: "The language, by its ISO 639-1 code (default: found out, where the engine can).")
    var language: String?
    @Option(help: "Names and terms that occur, for engines that can lean towards them.")
    var prompt: String?
    @Option(help: "mixed, separate or automatic: what becomes of several channels (default: mixed).")
    var channels: TranscriptionRequest.Channels = .mixed
    @Option(help: "Who speaks on which channel, with commas in between: Caller,Agent.")
    var speakers: String?
    @Option(help: "The sound stream, counted from 0 among its kind (default: as a player would choose).")
    var audioStream: Int?
    @OptionGroup(title: "What is used") var window: WindowOptions
    @Option(help: "Characters of a caption's line at most (default: 42, by language).")
    var lineLength: Int?
    @Option(help: "Lines of a caption at most (default: 2).")
    var lines: Int?
    @Flag(name: [.customShort("y"), .long], help: "Replace files that are there already.")
    var overwrite = false
    @OptionGroup(title: "Settings") var settings: ConfigurationOptions
    @Flag(help: "Print engine, quality, language, usage and outputs as JSON; of a failure, {\"error\": {…}}.")
    var json = false
    @Option(help: "auto, bar, json (one object a line, on standard error) or none.")
    var progress: ProgressMode = .auto
    @Flag(name: .shortAndLong, help: "Print neither progress nor a summary.")
    var quiet = false

    func validate() throws {
        guard !outputs.isEmpty else { throw ValidationError("Name an output") }
        guard Set(outputs).count == outputs.count else { throw ValidationError("Each output can be given but once") }
        for output in outputs where format == nil && output != "-" && TranscriptFormat(fileName: output) == nil {
            throw ValidationError("\(output) does not end in srt, vtt, ass, json or txt; name the format by --format")
        }
        if let track = audioStream, track < 0 { throw ValidationError("--audio-stream is counted from 0") }
    }

    func run() async throws {
        // What the text goes to must hold nothing else.
        let console: Console = outputs.contains("-") ? .error : .output
        do {
            let report = try await KilnProgram.withJob { try await transcribe() }
            if json {
                try console.print(JSONText.pretty(report))
            } else if !quiet, progress != .json {
                for line in report.lines { Console.error.write("kiln: \(line.printable)\n") }
            }
        } catch {
            throw CommandFailure(any: MediaError(speech: error, input: input), json: json ? console : nil)
        }
    }

    private func transcribe() async throws -> TranscribeReport {
        let loaded = settings.load()
        // What else is wrong with the settings is no matter here: most of them are a worker's.
        let own = SettingsTable.speech.settings.flatMap { $0.names + [$0.key] }
        if let problem = loaded.problems.first(where: { problem in own.contains { problem.place.contains($0) } }) {
            throw MediaError(.configuration, "\(problem)")
        }
        let rules = CaptionRules(maximumLineLength: lineLength, maximumLines: lines)
        try rules.validate()
        let client = try HTTPClient()
        let resolver = ConsoleResolver()
        do {
            let providers = ServiceProviders(settings: loaded.value.providers, client: client)
            let transcriber = try providers.transcriber(engine, cores: CoreBudget.process.cores)
            let reporter = ProgressReporter(quiet ? .none : progress)
            let start = ContinuousClock.now
            // The outputs are tried first: an hour of listening must not end in "exists already".
            let sinks = try outputs.map { output in
                do { return try resolver.sink(for: output, overwrite: overwrite) } catch {
                    throw MediaError(store: error, output: output)
                }
            }
            // Does nothing to those that are finished.
            defer { for sink in sinks { sink.abort() } }
            let made: Transcription
            do {
                defer { reporter.finish() }
                var told: (@Sendable (Double) -> Void)?
                if let show = reporter.callback {
                    told = { fraction in show(Self.report(of: fraction, since: start)) }
                }
                made = try await transcriber.transcribe(
                    request, media: MediaEngine(resolver: resolver), progress: told)
            }
            for (output, sink) in zip(outputs, sinks) {
                let format = format ?? TranscriptFormat(fileName: output) ?? .srt
                try await write(try made.transcript.written(as: format, rules: rules), to: sink, named: output)
            }
            await client.shutdown()
            return TranscribeReport(made, outputs: outputs, seconds: (ContinuousClock.now - start) / .seconds(1))
        } catch {
            await client.shutdown()
            throw error
        }
    }

    private var request: TranscriptionRequest {
        TranscriptionRequest(
            input: input, track: audioStream, language: language, prompt: prompt, channels: channels,
            speakers: speakers?.split(separator: ",").map { $0.trimmed } ?? [], start: window.start?.value,
            end: window.end?.value)
    }

    private static func report(of fraction: Double, since start: ContinuousClock.Instant) -> Progress {
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        return Progress(
            fraction: fraction, position: elapsed, speed: 0, framesPerSecond: 0,
            eta: fraction > 0.02 ? elapsed / fraction * (1 - fraction) : nil, bytes: 0)
    }

    private func write(_ text: String, to sink: any ByteSink, named output: String) async throws {
        let bytes = Array(text.utf8)
        try await withTaskCancellationHandler {
            try await OwnThread.run {
                do {
                    try bytes.withUnsafeBytes { try sink.write($0) }
                    try sink.finish()
                } catch {
                    sink.abort()
                    throw MediaError(store: error, output: output)
                }
            }
        } onCancel: {
            sink.cancel()
        }
    }
}

/// What `kiln transcribe` prints of a recognition.
struct TranscribeReport: Encodable {
    var engine: String?
    var quality: Transcript.Quality?
    var language: String?
    var duration: Double
    var segments: Int
    var words: Int
    var wallSeconds: Double
    var usage: TranscriptionUsage
    var outputs: [String]

    init(_ made: Transcription, outputs: [String], seconds: Double) {
        let transcript = made.transcript
        engine = transcript.engine
        quality = transcript.quality
        language = transcript.language
        duration = transcript.duration
        segments = transcript.segments.count
        words = transcript.wordCount
        wallSeconds = seconds
        usage = made.usage
        self.outputs = outputs
    }

    var lines: [String] {
        let names = outputs.map { $0 == "-" ? "standard output" : $0 }.joined(separator: ", ")
        let speed = Figures.fixed(duration / max(wallSeconds, 1e-6), 1)
        var lines = [
            "\(names): \(words) words of \(Figures.clock(duration)) by \(engine ?? "a recogniser") in "
                + "\(Figures.fixed(wallSeconds, 1)) s (\(speed)×)"
        ]
        if let cost = usage.cost { lines.append("cost: $\(Figures.fixed(cost, 4))") }
        if quality == .draft {
            lines.append(
                "this is a draft: \(engine ?? "it") mishears much; OPENAI_API_KEY or WHISPER_MODEL has it done well")
        }
        return lines
    }
}

extension Transcript {
    /// Where a recogniser gives no times of words, what stands between blanks is counted.
    var wordCount: Int {
        segments.reduce(0) {
            $0 + ($1.words.isEmpty ? $1.text.split(whereSeparator: \.isWhitespace).count : $1.words.count)
        }
    }
}

extension MediaError {
    /// An error of a recognition, for the command line.
    init(speech error: any Error, input: String) {
        guard let error = error as? ProviderError else {
            self.init(store: error, input: input)
            return
        }
        let code: MediaError.Code =
            switch error.code {
            case .badRequest: .badRequest
            case .configuration: .configuration
            case .notFound: .notFound
            case .tooLarge, .quota: .resourceLimit
            case .cancelled: .cancelled
            case .internal: .internal
            case .refused: .unsupported
            default: .io
            }
        self.init(code, "\(error.provider): \(error.message)", hint: error.hint, cause: error)
    }
}
