import MediaKit

/// Carries a request out for a subcommand: with progress, and with the result printed as asked.
struct RequestRunner {
    let report: ReportOptions
    /// Whether the request is made of flags, not read.
    var isMadeOfFlags = true

    /// Carries out what `makeRequest` reads and returns.
    ///
    /// - Throws: ``CommandFailure``.
    func run(_ makeRequest: () throws -> MediaRequest) async throws {
        let request: MediaRequest
        do { request = try makeRequest() } catch {
            throw CommandFailure(any: error, json: report.json ? .output : nil, namesFlags: isMadeOfFlags)
        }
        try await run(request)
    }

    /// - Throws: ``CommandFailure``.
    func run(_ request: MediaRequest) async throws {
        // What the media goes to must hold nothing else.
        let console: Console = request.writesToStandardOutput ? .error : .output
        do {
            if report.printRequest {
                try Console.output.print(JSONText.pretty(request))
                return
            }
            let reporter = ProgressReporter(report.quiet ? .none : report.progress)
            let result: MediaResult
            do {
                defer { reporter.finish() }
                result = try await KilnProgram.withJob {
                    try await MediaEngine(resolver: ConsoleResolver()).execute(request, progress: reporter.callback)
                }
            }
            try print(result, on: console)
        } catch {
            throw CommandFailure(any: error, json: report.json ? console : nil, namesFlags: isMadeOfFlags)
        }
    }

    private func print(_ result: MediaResult, on console: Console) throws {
        if report.json { try console.print(result.json) }
        if case .info(let info) = result {
            if !report.json { try console.print(ProbeTable(info).text) }
            return
        }
        if case .loudness(let measured) = result, !report.json {
            try console.print(LoudnessText.lines(measured).joined(separator: "\n"))
        }
        if report.progress == .json {
            // Every line stays an object.
            for warning in result.warnings where !report.json {
                Console.error.write(try JSONText.line(["warning": warning]) + "\n")
            }
        } else if !report.json, !report.quiet {
            for line in Summary(result).lines { Console.error.write("kiln: \(line.printable)\n") }
        }
    }
}

extension MediaRequest {
    /// Whether an output of it is `-`.
    var writesToStandardOutput: Bool {
        switch self {
        case .probe: false
        case .transcode(let request): request.output == "-"
        case .burnSubtitles(let request): request.output == "-"
        case .extractAudio(let request): request.output == "-"
        case .waveform(let request): request.output == "-"
        case .thumbnail(let request): request.output == "-"
        case .sampleClip(let request): request.output == "-" || request.subtitles == "-"
        case .measureLoudness: false
        case .normalizeLoudness(let request): request.output == "-"
        case .mixAudio(let request): request.output == "-"
        case .concatenateClips(let request): request.output == "-"
        case .loopTo(let request): request.output == "-"
        }
    }
}

extension MediaResult {
    /// The operation's own result, not the envelope.
    fileprivate var json: String {
        get throws {
            switch self {
            case .info(let value): try JSONText.pretty(value)
            case .render(let value): try JSONText.pretty(value)
            case .audio(let value): try JSONText.pretty(value)
            case .sample(let value): try JSONText.pretty(value)
            case .loudness(let value): try JSONText.pretty(value)
            case .normalized(let value): try JSONText.pretty(value)
            case .waveform(let value): try JSONText.pretty(value)
            case .thumbnail(let value): try JSONText.pretty(value)
            }
        }
    }

    var warnings: [MediaWarning] {
        switch self {
        case .info: []
        case .render(let value): value.warnings
        case .audio(let value): value.warnings
        case .sample(let value): value.warnings
        case .loudness(let value): value.warnings
        case .normalized(let value): value.file.warnings
        case .waveform(let value): value.warnings
        case .thumbnail(let value): value.warnings
        }
    }
}
