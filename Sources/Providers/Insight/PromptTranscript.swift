import MediaKit

/// A transcript as a model reads it: a line for each segment, with its time and speaker.
///
/// What is said in a call is said by anybody: it is data, whatever it asks for. It stands between marks that do not occur
/// in it, and a line of it cannot pose as another speaker's.
struct PromptTranscript: Sendable, Equatable {
    var lines: [String]

    init(_ transcript: Transcript) {
        lines = transcript.segments.compactMap { segment in
            let text = Self.line(segment.text)
            guard !text.isEmpty else { return nil }
            let speaker =
                segment.speaker.map { Self.line($0) + ": " } ?? segment.channel.map { "Channel \($0 + 1): " } ?? ""
            return "[\(Self.time(segment.start))] \(speaker)\(text)"
        }
    }

    private init(lines: [String]) { self.lines = lines }

    var isEmpty: Bool { lines.isEmpty }

    /// Between marks.
    var marked: String { Self.marked(lines.joined(separator: "\n"), name: "transcript") }

    /// `text` between marks that it does not hold.
    static func marked(_ text: String, name: String) -> String {
        var number = 1
        while text.contains("\(name)-\(number)") { number += 1 }
        return "<\(name)-\(number)>\n\(text)\n</\(name)-\(number)>"
    }

    /// In parts of at most `tokens` each, by estimate. A line that is longer by itself is divided at blanks.
    func parts(tokens: Int) -> [PromptTranscript] {
        var parts: [PromptTranscript] = []
        var lines: [String] = []
        var used = 0
        for line in self.lines.flatMap({ Self.divided($0, tokens: tokens) }) {
            let cost = TokenEstimate.tokens(in: line)
            if used + cost > tokens, !lines.isEmpty {
                parts.append(PromptTranscript(lines: lines))
                lines = []
                used = 0
            }
            lines.append(line)
            used += cost
        }
        if !lines.isEmpty { parts.append(PromptTranscript(lines: lines)) }
        return parts
    }

    private static func divided(_ line: String, tokens: Int) -> [String] {
        guard TokenEstimate.tokens(in: line) > tokens else { return [line] }
        var pieces: [String] = []
        var piece = ""
        var used = 0
        for word in line.split(separator: " ") {
            let cost = TokenEstimate.tokens(in: word) + 1
            if used + cost > tokens, !piece.isEmpty {
                pieces.append(piece)
                piece = ""
                used = 0
            }
            piece += piece.isEmpty ? "\(word)" : " \(word)"
            used += cost
        }
        if !piece.isEmpty { pieces.append(piece) }
        return pieces
    }

    private static func line(_ text: String) -> String {
        text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
    }

    /// "1:02:03", "2:03"
    private static func time(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e9)))
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}

/// How many tokens a text comes to, without the model's own table: about four letters of a Latin script, or one or two of
/// another. Rather too many than too few.
enum TokenEstimate {
    static func tokens(in text: some StringProtocol) -> Int {
        var plain = 0
        var other = 0
        for scalar in text.unicodeScalars {
            if scalar.value < 0x250 { plain += 1 } else { other += 1 }
        }
        return (plain + 3) / 4 + other + 1
    }
}
