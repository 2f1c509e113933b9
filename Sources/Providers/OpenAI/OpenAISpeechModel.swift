/// What is known of a model of OpenAI, or of one that is served as theirs are.
struct OpenAISpeechModel: Sendable, Equatable {
    /// What it can be asked for.
    enum Form: Int, Sendable, Comparable {
        /// `json`: text without times.
        case text
        /// `verbose_json`: segments.
        case segments
        /// `verbose_json` with `timestamp_granularities[]`: segments and words.
        case words
        /// `diarized_json`: segments with speakers.
        case speakers

        static func < (a: Form, b: Form) -> Bool { a.rawValue < b.rawValue }
    }

    var name: String

    /// The name without the vendor's: "openai/whisper-1".
    private var bareName: Substring { name.split(separator: "/").last ?? name[...] }

    /// The most that it is asked for. One that nobody knows here is taken for a Whisper.
    var form: Form {
        if bareName.hasSuffix("-diarize") { return .speakers }
        return bareName.hasPrefix("gpt-") ? .text : .words
    }

    /// US dollars for a minute, by the list of August 2026; `nil` if it is not in it.
    /// https://platform.openai.com/docs/pricing
    var listPrice: Double? {
        switch bareName {
        case "whisper-1", "gpt-4o-transcribe", "gpt-4o-transcribe-diarize": 0.006
        case _ where bareName.hasPrefix("gpt-4o-mini-transcribe"): 0.003
        default: nil
        }
    }
}
