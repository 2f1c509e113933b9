import FoundationEssentials

extension Transcript {
    /// The transcript as the text of a file.
    ///
    /// ```swift
    /// let subtitles = try transcript.written(as: .srt)
    /// ```
    /// - Parameters:
    ///   - rules: how captions are cut; JSON and plain text have none.
    ///   - options: what the format leaves open.
    /// - Throws: `badRequest` where rules or a style are out of range.
    public func written(
        as format: TranscriptFormat, rules: CaptionRules = CaptionRules(),
        options: TranscriptWriting = TranscriptWriting()
    ) throws(MediaError) -> String {
        switch format {
        case .srt: return SubRipWriter.text(of: try CaptionSegmenter.captions(of: self, rules: rules))
        case .vtt:
            let captions = try CaptionSegmenter.captions(of: self, rules: rules)
            return WebVTTWriter(wordTimes: options.wordTimes, language: language).text(of: captions)
        case .ass:
            if var look = options.look {
                if look.rules == nil { look.rules = rules }
                let writer = try WordCaptionWriter(
                    look: look, canvas: options.canvas, measure: TextLayoutWidth.estimate)
                return try writer.write(self).text
            }
            let cues = try CaptionSegmenter.captions(of: self, rules: rules).cues
            return try ASSWriter(style: options.style, geometry: options.canvas).write(cues).script.text
        case .json: return try json()
        case .txt: return plainText(paragraphPause: options.paragraphPause)
        }
    }

    /// In the form that ``load(_:name:)`` reads, with keys in alphabetical order.
    private func json() throws(MediaError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n" } catch {
            throw MediaError(.badRequest, "the transcript cannot be written as JSON: it has a time that is no number")
        }
    }

    /// Reads a transcript from its JSON form, or makes one of SRT or WebVTT.
    ///
    /// - Parameter name: what errors call it.
    /// - Throws: as ``load(_:name:)`` and ``SubtitleDocument/parse(_:name:format:encoding:limits:)`` do.
    public static func read(_ bytes: [UInt8], name: String) throws(MediaError) -> Transcript {
        if looksLikeJSON(bytes) { return try load(bytes, name: name) }
        return try Transcript(SubtitleDocument.parse(bytes, name: name))
    }

    /// Reads a transcript from its JSON form.
    ///
    /// - Parameter name: what errors call it.
    /// - Throws: `badInput` where it is no transcript, or has times that go backwards or are no times.
    public static func load(_ bytes: [UInt8], name: String = "transcript") throws(MediaError) -> Transcript {
        let transcript: Transcript
        do { transcript = try JSONDecoder().decode(Transcript.self, from: Data(bytes)) } catch let error
            as DecodingError
        {
            throw MediaError(
                .badInput, "this is no transcript: \(Self.problem(error))",
                hint: "it is an object with duration and segments, each with start, end and text", input: name)
        } catch {
            throw MediaError(.badInput, "the transcript cannot be read", input: name, cause: error)
        }
        if let problem = transcript.problemOfTimes { throw MediaError(.badInput, problem, input: name) }
        return transcript
    }

    /// What is wrong with the first of its times that cannot be; `nil` if they are in order.
    var problemOfTimes: String? {
        for (index, segment) in segments.enumerated() {
            for (start, end) in [(segment.start, segment.end)] + segment.words.map({ ($0.start, $0.end) }) {
                if !start.isFinite || !end.isFinite || abs(start) >= 1e9 || abs(end) >= 1e9 {
                    return "segment \(index) of the transcript has a time that is none"
                }
                if end < start { return "segment \(index) of the transcript has a time that ends before it starts" }
            }
        }
        return nil
    }

    /// Whether a file's bytes are JSON rather than subtitles.
    static func looksLikeJSON(_ bytes: [UInt8]) -> Bool {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        var visible = text.lazy.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }.makeIterator()
        // MicroDVD begins with a brace as well, but a number follows.
        return visible.next() == UInt8(ascii: "{") && visible.next() == UInt8(ascii: "\"")
    }

    private static func problem(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty
                ? ""
                : " (at " + path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".") + ")"
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(key.stringValue) is missing" + place(context.codingPath)
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "a value is of the wrong type" + place(context.codingPath)
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty ? "it is not JSON" : context.debugDescription + place(context.codingPath)
        @unknown default: return "it has another form"
        }
    }
}

extension [Caption] {
    /// The captions as cues, to be drawn in a style.
    public var cues: [Cue] {
        CaptionMilliseconds.of(self).map { caption, times in
            var span = CueSpan(caption.text)
            span.voice = caption.speaker
            return Cue(start: times.start, end: times.end, spans: [span])
        }
    }
}

/// Times as files have them.
enum CaptionMilliseconds {
    /// Rounded; none is empty, and no two overlap that did not before.
    static func of(_ captions: [Caption]) -> [(caption: Caption, times: (start: Int64, end: Int64))] {
        var timed: [(caption: Caption, times: (start: Int64, end: Int64))] = []
        for caption in captions {
            var start = milliseconds(caption.start)
            // A caption of less than a millisecond was made longer.
            if let last = timed.last, last.caption.end <= caption.start { start = Swift.max(start, last.times.end) }
            timed.append((caption, (start, Swift.max(milliseconds(caption.end), start + 1))))
        }
        return timed
    }

    static func milliseconds(_ seconds: Double) -> Int64 {
        ASSEvent.clamped(seconds.isFinite ? Int64((Swift.min(Swift.max(seconds, 0), 1e9) * 1000).rounded()) : 0)
    }

    /// `hh:mm:ss,mmm`, with the mark that the format has before the fraction.
    static func text(_ milliseconds: Int64, mark: Character) -> String {
        func pad(_ value: Int64, _ digits: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: Swift.max(digits - text.count, 0)) + text
        }
        let (seconds, fraction) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return pad(seconds / 3600, 2) + ":" + pad(seconds / 60 % 60, 2) + ":" + pad(seconds % 60, 2) + String(mark)
            + pad(fraction, 3)
    }
}
