/// What is said in a recording, and when: what recognisers make, and captions are made of.
///
/// All times are seconds from the beginning of the source as a player shows it: 0 is the first picture of a video, also
/// where its file begins elsewhere.
public struct Transcript: Codable, Sendable, Equatable {
    /// What recognised it, with the model: "pocketsphinx", "openai:whisper-1". `nil` where people wrote it.
    public var engine: String?
    /// How far it can be relied on.
    public var quality: Quality?
    /// An ISO 639-1 code such as "en", or a longer BCP 47 tag; `nil` if it is not known.
    public var language: String?
    /// Seconds of the source.
    public var duration: Double
    /// In order of their starts. Those of different channels may overlap.
    public var segments: [Segment]

    /// How far a transcript can be relied on.
    public enum Quality: String, Codable, Sendable, CaseIterable {
        /// Full of mistakes: for trying things out.
        case draft
        /// As good as its model is.
        case standard
    }

    /// A stretch of speech of one speaker, usually a sentence.
    public struct Segment: Codable, Sendable, Equatable {
        /// Seconds.
        public var start: Double
        /// Seconds; not before `start`.
        public var end: Double
        /// As it is written, with its punctuation.
        public var text: String
        /// In order; empty where the recogniser gives no times of words. Joined, they are `text` but for blanks.
        public var words: [Word]
        /// 0 to 1; `nil` where the recogniser does not say.
        public var confidence: Double?
        /// Who speaks, as it is shown: "Caller", "A".
        public var speaker: String?
        /// The channel of the source that it was heard on, from 0; `nil` if the channels were mixed.
        public var channel: Int?

        /// Times are seconds.
        public init(
            start: Double, end: Double, text: String, words: [Word] = [], confidence: Double? = nil,
            speaker: String? = nil, channel: Int? = nil
        ) {
            self.start = start
            self.end = end
            self.text = text
            self.words = words
            self.confidence = confidence
            self.speaker = speaker
            self.channel = channel
        }

        enum CodingKeys: String, CodingKey, CaseIterable {
            case start, end, text, words, confidence, speaker, channel
        }

        public init(from decoder: any Swift.Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            start = try values.decode(Double.self, forKey: .start)
            end = try values.decode(Double.self, forKey: .end)
            text = try values.decode(String.self, forKey: .text)
            words = try values.decodeIfPresent([Word].self, forKey: .words) ?? []
            confidence = try values.decodeIfPresent(Double.self, forKey: .confidence)
            speaker = try values.decodeIfPresent(String.self, forKey: .speaker)
            channel = try values.decodeIfPresent(Int.self, forKey: .channel)
        }
    }

    /// One word, as it is written: with the punctuation that belongs to it, without blanks around it.
    public struct Word: Codable, Sendable, Equatable {
        /// Seconds.
        public var start: Double
        /// Seconds; not before `start`.
        public var end: Double
        /// "don't", "well,"
        public var text: String
        /// 0 to 1; `nil` where the recogniser does not say.
        public var confidence: Double?

        /// Times are seconds.
        public init(start: Double, end: Double, text: String, confidence: Double? = nil) {
            self.start = start
            self.end = end
            self.text = text
            self.confidence = confidence
        }
    }

    /// Times are seconds.
    public init(
        engine: String? = nil, quality: Quality? = nil, language: String? = nil, duration: Double,
        segments: [Segment]
    ) {
        self.engine = engine
        self.quality = quality
        self.language = language
        self.duration = duration
        self.segments = segments
    }

    /// All words in the order of their segments; empty where there are no times of words.
    public var words: [Word] { segments.flatMap(\.words) }
}
