/// Words that are shown together, in lines.
public struct Caption: Sendable, Equatable {
    /// Seconds.
    public var start: Double
    /// Seconds; later than `start`.
    public var end: Double
    /// From top to bottom; none is empty.
    public var lines: [[Word]]
    /// Who speaks, as the transcript names them.
    public var speaker: String?
    /// The channel it was heard on, from 0.
    public var channel: Int?
    /// What stands before the first line to tell who speaks, with its blank: "- ", "Caller: ". Empty for nothing.
    public var label: String

    /// A word with the time at which it is spoken.
    public struct Word: Sendable, Equatable {
        /// Seconds; within the caption.
        public var start: Double
        /// Seconds; within the caption, not before `start`.
        public var end: Double
        /// Without blanks, but with its punctuation. A word longer than a line comes in parts.
        public var text: String
        /// Whether a blank parts it from the word before, also where that stands in the line above.
        public var followsBlank: Bool

        /// Times are seconds.
        public init(start: Double, end: Double, text: String, followsBlank: Bool = true) {
            self.start = start
            self.end = end
            self.text = text
            self.followsBlank = followsBlank
        }
    }

    /// Times are seconds.
    public init(
        start: Double, end: Double, lines: [[Word]], speaker: String? = nil, channel: Int? = nil, label: String = ""
    ) {
        self.start = start
        self.end = end
        self.lines = lines
        self.speaker = speaker
        self.channel = channel
        self.label = label
    }

    /// All words in order.
    public var words: [Word] { lines.flatMap { $0 } }

    /// The text of each line, the label before the first.
    public var lineTexts: [String] {
        lines.enumerated().map { index, line in (index == 0 ? label : "") + Self.text(of: line) }
    }

    /// The lines, parted by `\n`.
    public var text: String { lineTexts.joined(separator: "\n") }

    static func text(of words: some Sequence<Word>) -> String {
        words.reduce(into: "") { text, word in
            if word.followsBlank, !text.isEmpty { text += " " }
            text += word.text
        }
    }
}
