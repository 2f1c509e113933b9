import FoundationEssentials

/// An answer of `/audio/transcriptions`, in the dialects of OpenAI, Groq, speaches and whisper.cpp.
struct OpenAISpeechAnswer: Sendable {
    struct Segment: Sendable {
        /// Seconds of the file.
        var start: Double
        var end: Double
        var text: String
        var speaker: String?
        var averageLogProbability: Double?
        var noSpeechProbability: Double?
        var compressionRatio: Double?
    }

    struct Word: Sendable {
        /// Seconds of the file.
        var start: Double
        var end: Double
        var text: String
        var probability: Double?
    }

    var text: String
    /// An ISO 639-1 code.
    var language: String?
    var segments: [Segment]
    /// Whole words, without blanks around them and often without punctuation.
    var words: [Word]

    /// It is none of these: a page, or a document of something else.
    struct Unknown: Error {}

    /// - Throws: `DecodingError` or ``Unknown`` for what is none of these.
    init(_ body: [UInt8], contentType: String?) throws {
        let isJSON = contentType?.lowercased().contains("json") ?? true
        let first = body.first { $0 > 0x20 }
        guard isJSON || first == UInt8(ascii: "{") else {
            // A page of a web server that answers whatever it is asked.
            guard first != UInt8(ascii: "<") else { throw Unknown() }
            // text/plain: of a server that knows no JSON.
            let text = String(decoding: body, as: UTF8.self)
            self.init(text: text.trimmed, language: nil, segments: [], words: [])
            return
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(body))
        // Nothing said is an empty text; without any text it is something else, such as {"error": "…"}.
        guard document.text != nil || document.segments != nil || document.words != nil else { throw Unknown() }
        let segments = (document.segments ?? []).compactMap { segment -> Segment? in
            guard let start = segment.start, let end = segment.end, start.isFinite, end.isFinite else { return nil }
            return Segment(
                start: start, end: end, text: segment.text ?? "", speaker: segment.speaker,
                averageLogProbability: segment.avg_logprob, noSpeechProbability: segment.no_speech_prob,
                compressionRatio: segment.compression_ratio)
        }
        let lists =
            document.words.map { [$0] } ?? (document.segments ?? []).compactMap(\.words)
        self.init(
            text: (document.text ?? segments.map(\.text).joined()).trimmed,
            language: (document.language ?? document.detected_language).flatMap(SpeechLanguage.code),
            segments: segments, words: lists.flatMap(Self.wholeWords))
    }

    private init(text: String, language: String?, segments: [Segment], words: [Word]) {
        self.text = text
        self.language = language
        self.segments = segments
        self.words = words
    }

    /// Joins pieces of words: where pieces begin with a blank, one that does not goes on with the word before.
    private static func wholeWords(_ pieces: [Document.Word]) -> [Word] {
        let isPieces = pieces.contains { ($0.word ?? $0.text)?.first?.isWhitespace == true }
        var words: [Word] = []
        for piece in pieces {
            guard let text = piece.word ?? piece.text, let start = piece.start, let end = piece.end,
                start.isFinite, end.isFinite
            else { continue }
            let trimmed = text.trimmed
            // whisper.cpp's marks of time and music: "[_TT_50]".
            guard !trimmed.isEmpty, !trimmed.hasPrefix("[_") else { continue }
            let probability = piece.probability ?? piece.p
            if isPieces, text.first?.isWhitespace == false, !words.isEmpty {
                words[words.count - 1].text += trimmed
                words[words.count - 1].end = max(words[words.count - 1].end, end)
                if let probability, let before = words[words.count - 1].probability {
                    words[words.count - 1].probability = min(before, probability)
                }
            } else {
                words.append(Word(start: start, end: max(start, end), text: trimmed, probability: probability))
            }
        }
        return words
    }

    private struct Document: Decodable {
        struct Segment: Decodable {
            var start: Double?
            var end: Double?
            var text: String?
            var speaker: String?
            var avg_logprob: Double?
            var no_speech_prob: Double?
            var compression_ratio: Double?
            var words: [Word]?

            enum CodingKeys: String, CodingKey {
                case start, end, text, speaker, avg_logprob, no_speech_prob, compression_ratio, words
            }

            init(from decoder: any Decoder) throws {
                let values = try decoder.container(keyedBy: CodingKeys.self)
                start = try values.decodeIfPresent(Double.self, forKey: .start)
                end = try values.decodeIfPresent(Double.self, forKey: .end)
                text = try values.decodeIfPresent(String.self, forKey: .text)
                // whisper.cpp has a number here, or "?".
                speaker =
                    (try? values.decodeIfPresent(String.self, forKey: .speaker))
                    ?? (try? values.decodeIfPresent(Int.self, forKey: .speaker)).map { "\($0)" }
                if speaker == "?" || speaker == "" { speaker = nil }
                avg_logprob = try? values.decodeIfPresent(Double.self, forKey: .avg_logprob)
                no_speech_prob = try? values.decodeIfPresent(Double.self, forKey: .no_speech_prob)
                compression_ratio = try? values.decodeIfPresent(Double.self, forKey: .compression_ratio)
                words = try values.decodeIfPresent([Word].self, forKey: .words)
            }
        }

        struct Word: Decodable {
            var word: String?
            var text: String?
            var start: Double?
            var end: Double?
            var probability: Double?
            var p: Double?
        }

        var text: String?
        var language: String?
        var detected_language: String?
        var segments: [Segment]?
        var words: [Word]?
    }
}

extension String {
    /// Without blanks and line breaks around it.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
