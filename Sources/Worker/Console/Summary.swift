import MediaKit

/// A result in a few lines for a person.
struct Summary {
    let lines: [String]

    init(_ result: MediaResult) {
        let facts: [String]
        switch result {
        case .info: facts = []
        case .render(let value): facts = Self.describe(value)
        case .audio(let value): facts = Self.describe(value)
        case .sample(let value): facts = Self.describe(value)
        // Printed as what was asked for.
        case .loudness: facts = []
        case .normalized(let value): facts = Self.describe(value.file) + LoudnessText.lines(value)
        case .waveform(let value): facts = Self.describe(value)
        case .thumbnail(let value): facts = Self.describe(value)
        }
        lines = facts + result.warnings.map { "warning: \(Self.describe($0))" }
    }

    private static func describe(_ warning: MediaWarning) -> String {
        warning.message + (warning.stream.map { " (stream \($0))" } ?? "")
    }

    private static func describe(_ result: WaveformResult) -> [String] {
        let size = "\(result.width)x\(result.height)"
        if let format = result.format {
            return [picture(result.output, size, result.bytes, result.wallSeconds), format.rawValue]
        }
        return [
            made(result.output, result.duration, result.bytes, result.wallSeconds),
            describe(result.streams),
        ]
    }

    private static func describe(_ result: ThumbnailResult) -> [String] {
        result.outputs.map { output in
            let place = output.time.map { "at \(Figures.clock($0))" } ?? "the cover"
            return picture(output.output, "\(output.width)x\(output.height), \(place)", output.bytes, nil)
        } + ["\(result.format.rawValue) in \(Figures.fixed(result.wallSeconds, 2)) s"]
    }

    private static func picture(_ output: String, _ facts: String, _ bytes: Int64, _ wall: Double?) -> String {
        let name = output == "-" ? "standard output" : output
        return "\(name): \(facts), \(Figures.bytes(bytes))" + (wall.map { " in \(Figures.fixed($0, 2)) s" } ?? "")
    }

    private static func describe(_ result: RenderResult) -> [String] {
        [
            made(result.output, result.duration, result.bytes, result.wallSeconds),
            describe(result.streams),
        ]
    }

    private static func describe(_ streams: [RenderResult.Stream]) -> String {
        streams.map { stream in
            var facts = [stream.kind, stream.codec]
            if let width = stream.width, let height = stream.height { facts.append("\(width)x\(height)") }
            if let frames = stream.frames { facts.append("\(frames) frames") }
            if let rate = stream.sampleRate { facts.append("\(rate) Hz") }
            if let channels = stream.channels { facts.append("\(channels) ch") }
            if stream.copied { facts.append("copied") }
            return facts.joined(separator: " ")
        }.joined(separator: "; ")
    }

    private static func describe(_ result: ExtractAudioResult) -> [String] {
        let format = "\(result.codec) \(result.sampleRate) Hz \(result.channels) ch\(result.copied ? " copied" : "")"
        guard result.outputs.count != 1 else {
            let output = result.outputs[0]
            return [made(output.output, output.duration, output.bytes, result.wallSeconds), format]
        }
        let chunks = result.outputs.map { chunk in
            let start = Figures.clock(chunk.start), end = Figures.clock(chunk.start + chunk.duration)
            return "\(chunk.output): \(start) to \(end), \(Figures.bytes(chunk.bytes))"
        }
        let speed = Figures.fixed(result.duration / max(result.wallSeconds, 1e-6), 1)
        let wall = Figures.fixed(result.wallSeconds, 2)
        return chunks + [
            "\(chunks.count) chunks, \(Figures.clock(result.duration)) in \(wall) s (\(speed)×)", format,
        ]
    }

    private static func describe(_ result: SampleClipResult) -> [String] {
        var lines = [made(result.output, result.duration, result.bytes, result.wallSeconds)]
        if let subtitles = result.subtitles {
            lines.append(
                "\(subtitles): \(result.cues.count) cues of what is \(result.isSpoken ? "spoken" : "to be read")")
        }
        return lines
    }

    private static func made(_ output: String, _ duration: Double, _ bytes: Int64, _ wall: Double) -> String {
        let name = output == "-" ? "standard output" : output
        let speed = Figures.fixed(duration / max(wall, 1e-6), 1)
        return "\(name): \(Figures.clock(duration)), \(Figures.bytes(bytes)) in \(Figures.fixed(wall, 2)) s (\(speed)×)"
    }
}
