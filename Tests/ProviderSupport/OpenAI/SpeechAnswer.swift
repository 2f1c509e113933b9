import MediaKit

/// An answer in the words of one of the servers.
struct SpeechAnswer {
    private let words: [Transcript.Word]
    private let seconds: Double
    private let form: ReceivedForm
    private let dialect: OpenAIStandIn.Dialect
    /// In `verbose_json` alone.
    var hallucinations: [OpenAIStandIn.Hallucination] = []

    init(_ words: [Transcript.Word], seconds: Double, form: ReceivedForm, dialect: OpenAIStandIn.Dialect) {
        self.words = words
        self.seconds = seconds
        self.form = form
        self.dialect = dialect
    }

    var text: String {
        switch form["response_format"] ?? "json" {
        case "verbose_json": verbose
        case "diarized_json": diarized
        default: "{\"text\":\(OpenAIStandIn.json(whole))}"
        }
    }

    private var whole: String { words.map(\.text).joined(separator: " ") }

    /// Up to the end of a sentence, or a pause.
    private var sentences: [[Transcript.Word]] {
        var sentences: [[Transcript.Word]] = [[]]
        for word in words {
            if let last = sentences[sentences.count - 1].last,
                last.text.last.map({ ".?!".contains($0) }) == true || word.start - last.end > 0.8
            {
                sentences.append([])
            }
            sentences[sentences.count - 1].append(word)
        }
        return sentences.filter { !$0.isEmpty }
    }

    private func bare(_ text: String) -> String { text.filter { $0.isLetter || $0.isNumber || $0 == "'" } }

    private var verbose: String {
        let said = sentences.enumerated().map { (start: $1[0].start, text: segment($0, $1)) }
        let made = hallucinations.map { (start: $0.start, text: segment($0)) }
        let segments = (said + made).sorted { $0.start < $1.start }.map(\.text)
        let words = (words + hallucinations.flatMap(Self.words)).sorted { $0.start < $1.start }
        let asked = form.values("timestamp_granularities[]")
        var members = ["\"task\":\"transcribe\"", "\"duration\":\(seconds)"]
        members.append("\"language\":\"\(dialect == .speaches ? "en" : "english")\"")
        members.append("\"text\":\(OpenAIStandIn.json(whole))")
        if dialect == .whisperCpp || dialect == .speaches || asked.isEmpty || asked.contains("segment") {
            members.append("\"segments\":[\(segments.joined(separator: ","))]")
        }
        if asked.contains("word"), dialect != .whisperCpp {
            let list = words.map { word in
                let text = dialect == .speaches ? " " + word.text : bare(word.text)
                return "{\"word\":\(OpenAIStandIn.json(text)),\"start\":\(word.start),\"end\":\(word.end)}"
            }
            members.append("\"words\":[\(list.joined(separator: ","))]")
        }
        return "{\(members.joined(separator: ","))}"
    }

    private func segment(_ made: OpenAIStandIn.Hallucination) -> String {
        """
        {"id":0,"seek":0,"start":\(made.start),"end":\(made.end),"text":\(OpenAIStandIn.json(" " + made.text)),"tokens":[1],\
        "temperature":0,"avg_logprob":\(made.averageLogProbability),"no_speech_prob":\(made.noSpeech),\
        "compression_ratio":\(made.compressionRatio)}
        """
    }

    private static func words(_ made: OpenAIStandIn.Hallucination) -> [Transcript.Word] {
        let texts = made.text.split(separator: " ")
        let length = (made.end - made.start) / Double(max(1, texts.count))
        return texts.enumerated().map { index, text in
            let start = made.start + Double(index) * length
            return Transcript.Word(start: start, end: start + length, text: String(text))
        }
    }

    private func segment(_ number: Int, _ words: [Transcript.Word]) -> String {
        var members = [
            "\"id\":\(number)", "\"start\":\(words[0].start)", "\"end\":\(words[words.count - 1].end)",
            "\"text\":\(OpenAIStandIn.json(" " + words.map(\.text).joined(separator: " ")))", "\"tokens\":[1]",
            "\"temperature\":0", "\"avg_logprob\":-0.2", "\"no_speech_prob\":0.01",
        ]
        if dialect == .whisperCpp {
            // Pieces, of which the later ones of a word have no blank before them.
            let pieces = words.flatMap { word -> [String] in
                let middle = word.text.index(word.text.startIndex, offsetBy: (word.text.count + 1) / 2)
                let time = word.start + (word.end - word.start) / 2
                let parts: [(String, Double, Double)] = [
                    (" \(word.text[..<middle])", word.start, time), (String(word.text[middle...]), time, word.end),
                ]
                return parts.filter { !$0.0.isEmpty }.map {
                    "{\"word\":\(OpenAIStandIn.json($0.0)),\"start\":\($0.1),\"end\":\($0.2),\"t_dtw\":-1,\"probability\":0.9}"
                }
            }
            members.append("\"words\":[\(pieces.joined(separator: ","))]")
        } else {
            members += ["\"seek\":0", "\"compression_ratio\":1.2"]
        }
        return "{\(members.joined(separator: ","))}"
    }

    private var diarized: String {
        let list = sentences.enumerated().map { number, words in
            """
            {"type":"transcript.text.segment","id":"seg_\(number)","start":\(words[0].start),\
            "end":\(words[words.count - 1].end),"text":\(OpenAIStandIn.json(words.map(\.text).joined(separator: " "))),\
            "speaker":"\(number % 2 == 0 ? "A" : "B")"}
            """
        }
        return """
            {"task":"transcribe","duration":\(seconds),"text":\(OpenAIStandIn.json(whole)),\
            "segments":[\(list.joined(separator: ","))]}
            """
    }
}
