/// Subtitles read from a file, from memory or from a track.
///
/// ```swift
/// let document = try SubtitleDocument.parse(bytes, name: "film.srt")
/// for warning in document.warnings { print(warning) }
/// ```
public struct SubtitleDocument: Sendable, Equatable {
    /// Cues that take a style, or a script that has its own.
    public enum Content: Sendable, Equatable {
        /// Cues in order of start, which may overlap; drawn in a `CaptionStyle`.
        case cues([Cue])
        /// A script with styles of its own.
        case ass(ASSScript)
    }

    /// What is to be drawn.
    public var content: Content
    /// What was skipped or mended, in order of the file's lines.
    public var warnings: [SubtitleWarning]
    /// The encoding that the text was in; `nil` where it comes from a track.
    public var encoding: TextEncoding?
    /// The format it was in; `nil` where it comes from a track.
    public var format: SubtitleFormat?

    /// Reads subtitles. What is malformed is skipped with a warning.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: what errors call it; its ending is a hint at the format where the content gives none.
    ///   - format: reads it as this format, whatever it looks like.
    ///   - encoding: reads it in this encoding instead of detecting one.
    /// - Throws: `unsupported` for other formats, `badInput` where no cue is usable, `resourceLimit` beyond `limits`.
    public static func parse(
        _ bytes: [UInt8], name: String, format: SubtitleFormat? = nil, encoding: TextEncoding? = nil,
        limits: SubtitleLimits = SubtitleLimits()
    ) throws(MediaError) -> SubtitleDocument {
        if bytes.count > limits.bytes {
            throw limits.exceeded("\(bytes.count) bytes, more than \(limits.bytes)", name: name)
        }
        if let kind = SubtitleFormatDetector.binaryKind(bytes) {
            throw SubtitleFormatDetector.unsupported(kind, name: name)
        }
        let encoding = encoding ?? TextEncodingDetector.detect(bytes)
        let decoded = try encoding.decode(bytes[...])
        guard decoded.utf8.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else {
            throw MediaError(.badInput, "the subtitle file is empty", input: name)
        }
        if SubtitleFormatDetector.looksBinary(decoded) {
            throw SubtitleFormatDetector.unsupported("not text", name: name)
        }
        let lines = try SubtitleLines(decoded.utf8, limits: limits, name: name)
        var warnings = SubtitleWarnings()
        warn(about: decoded, in: lines, encoding, &warnings)
        let found = if let format { format } else { try SubtitleFormatDetector.detect(lines, name: name) }
        if format == nil, found == .srt, SubtitleFormat(fileName: name) == .webVTT {
            warnings.add(1, "the header WEBVTT is missing: read as SubRip")
        }
        let content: Content
        switch found {
        case .srt:
            let cues = try SRTParser(lines: lines, limits: limits, name: name).parse(&warnings)
            content = .cues(try usable(cues, warnings, name: name))
        case .webVTT:
            let cues = try WebVTTParser(lines: lines, limits: limits, name: name).parse(&warnings)
            content = .cues(try usable(cues, warnings, name: name))
        case .ass:
            let text = lines.bytes[...].string
            content = .ass(try ASSParser(limits: limits, name: name).parse(text, &warnings))
        }
        let ordered = warnings.finished().enumerated().sorted {
            ($0.element.line ?? .max, $0.offset) < ($1.element.line ?? .max, $1.offset)
        }
        return SubtitleDocument(
            content: content, warnings: ordered.map(\.element), encoding: encoding, format: found)
    }

    private static func warn(
        about decoded: DecodedText, in lines: SubtitleLines, _ encoding: TextEncoding,
        _ warnings: inout SubtitleWarnings
    ) {
        var last = 0
        for offset in decoded.replacements {
            let line = lines.number(at: offset)
            if line != last {
                warnings.add(line, "bytes that mean nothing in \(encoding.rawValue), or NUL: shown as \u{FFFD}")
            }
            last = line
        }
        let rest = decoded.replacementCount - decoded.replacements.count
        if rest > 0 { warnings.add(nil, "\(rest) more bytes that mean nothing in \(encoding.rawValue)") }
    }

    /// The cues in order of start; those that start together keep the order of the file.
    private static func usable(
        _ cues: [Cue], _ warnings: SubtitleWarnings, name: String
    ) throws(MediaError) -> [Cue] {
        guard !cues.isEmpty else {
            let first = warnings.all.first.map { "the first problem: \($0)" }
            throw MediaError(.badInput, "the subtitle file has no usable cue", hint: first, input: name)
        }
        return sorted(cues)
    }

    static func sorted(_ cues: [Cue]) -> [Cue] {
        cues.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }.map(\.element)
    }
}
