/// Breaks a cue's text into lines that are no wider than allowed.
///
/// A grapheme cluster is never broken. A word wider than a line is broken between clusters, for want of better.
struct TextLayout {
    /// A stretch that is not broken unless it is wider than a line, with the blanks after it.
    private struct Word {
        /// Indices of clusters.
        var range: Range<Int>
        var blanksEnd: Int
        var width: Double
        var blankWidth: Double
    }

    private struct Cluster {
        var text: Character
        var span: Int
    }

    private let spans: [CueSpan]
    private let clusters: [Cluster]
    /// The words of each paragraph.
    private let paragraphs: [[Word]]
    private let measure: TextMeasure

    /// - Parameter joined: takes the cue's own line breaks for blanks.
    init(_ spans: [CueSpan], joined: Bool = false, measure: @escaping TextMeasure) {
        self.spans = spans
        self.measure = measure
        // Clusters of the whole text: a mark that opens a span belongs to the letter before it.
        var clusters: [Cluster] = []
        var ends: [Int] = []
        var total = 0
        var whole = ""
        for span in spans {
            whole += span.text
            total += span.text.utf8.count
            ends.append(total)
        }
        var offset = 0
        var span = 0
        for character in whole {
            while span + 1 < ends.count, offset >= ends[span] { span += 1 }
            clusters.append(Cluster(text: joined && character.isNewline ? " " : character, span: span))
            offset += character.utf8.count
        }
        self.clusters = clusters
        paragraphs = TextLayout.words(clusters, spans, measure)
    }

    /// Whether the cue has line breaks of its own, none of which parts speakers (a line that begins with a dash).
    static func canJoin(_ spans: [CueSpan]) -> Bool {
        let lines = spans.reduce(into: "") { $0 += $1.text }.split(whereSeparator: \.isNewline)
        let dashes: Set<Character> = ["-", "–", "—", "‐", "―"]
        return lines.count > 1
            && !lines.contains { line in
                line.first { !$0.isWhitespace }.map(dashes.contains) ?? false
            }
    }

    /// The lines, each as spans without blanks at its ends.
    ///
    /// - Parameter width: of a line, in units of the font size.
    func lines(width: Double, wrapping: CaptionStyle.LineWrapping) -> [[CueSpan]] {
        paragraphs.flatMap { words -> [[CueSpan]] in
            guard wrapping != .none else { return [line(words[...])] }
            let words = split(words, width: width)
            let rows =
                wrapping == .greedy
                ? TextLayout.filled(words, width: width) : TextLayout.balanced(words, width: width)
            return rows.map { line(words[$0]) }
        }
    }

    private static func words(
        _ clusters: [Cluster], _ spans: [CueSpan], _ measure: TextMeasure
    ) -> [[Word]] {
        var paragraphs: [[Word]] = []
        var words: [Word] = []
        var cache: [String: Double] = [:]
        var index = 0
        func isBlank(_ at: Int) -> Bool {
            let text = clusters[at].text
            return text.isWhitespace && !text.isNewline && text != "\u{A0}" && text != "\u{202F}"
        }
        while index < clusters.count {
            if clusters[index].text.isNewline {
                paragraphs.append(words)
                words = []
                index += 1
                continue
            }
            let start = index
            while index < clusters.count, !isBlank(index), !clusters[index].text.isNewline {
                index += 1
                let ends = index == clusters.count || isBlank(index) || clusters[index].text.isNewline
                if !ends, TextLayoutBreaks.isAllowed(between: clusters[index - 1].text, and: clusters[index].text) {
                    break
                }
            }
            let end = index
            while index < clusters.count, isBlank(index) { index += 1 }
            func width(_ range: Range<Int>) -> Double {
                TextLayout.width(range, clusters, spans, measure, &cache)
            }
            if start == end, words.isEmpty { continue }
            words.append(
                Word(range: start..<end, blanksEnd: index, width: width(start..<end), blankWidth: width(end..<index)))
        }
        paragraphs.append(words)
        // Empty lines would only push the text about.
        return paragraphs.filter { !$0.isEmpty }
    }

    /// The width of some clusters: the sum over stretches in one weight and slant.
    private static func width(
        _ range: Range<Int>, _ clusters: [Cluster], _ spans: [CueSpan], _ measure: TextMeasure,
        _ cache: inout [String: Double]
    ) -> Double {
        var width = 0.0
        var index = range.lowerBound
        while index < range.upperBound {
            let style = spans[clusters[index].span]
            var text = ""
            while index < range.upperBound {
                let other = spans[clusters[index].span]
                guard other.bold == style.bold, other.italic == style.italic else { break }
                text.append(clusters[index].text)
                index += 1
            }
            let key = (style.bold ? "b" : "n") + (style.italic ? "i" : "n") + text
            if let known = cache[key] {
                width += known
            } else {
                let measured = measure(text, style.bold, style.italic)
                // A measurer that fails must not hang the layout.
                let safe = measured.isFinite ? max(measured, 0) : 0
                cache[key] = safe
                width += safe
            }
        }
        return width
    }

    /// Words wider than a line, cut between clusters.
    private func split(_ words: [Word], width: Double) -> [Word] {
        guard words.contains(where: { $0.width > width }) else { return words }
        var cache: [String: Double] = [:]
        return words.flatMap { word -> [Word] in
            guard word.width > width else { return [word] }
            var parts: [Word] = []
            var start = word.range.lowerBound
            var sum = 0.0
            for index in word.range {
                let one = TextLayout.width(index..<index + 1, clusters, spans, measure, &cache)
                if index > start, sum + one > width {
                    parts.append(Word(range: start..<index, blanksEnd: index, width: sum, blankWidth: 0))
                    start = index
                    sum = 0
                }
                sum += one
            }
            let range = start..<word.range.upperBound
            parts.append(Word(range: range, blanksEnd: word.blanksEnd, width: sum, blankWidth: word.blankWidth))
            return parts
        }
    }

    /// Every line as full as it goes.
    private static func filled(_ words: [Word], width: Double) -> [Range<Int>] {
        var rows: [Range<Int>] = []
        var start = 0
        var sum = 0.0
        for index in words.indices {
            if index > start, sum + words[index].width > width {
                rows.append(start..<index)
                start = index
                sum = 0
            }
            sum += words[index].width + words[index].blankWidth
        }
        if start < words.count { rows.append(start..<words.count) }
        return rows
    }

    /// As many lines as it takes, all about as wide: those of the narrowest width that needs no more lines.
    private static func balanced(_ words: [Word], width: Double) -> [Range<Int>] {
        var best = filled(words, width: width)
        guard best.count > 1 else { return best }
        let count = best.count
        var (low, high) = (0.0, width)
        for _ in 0..<16 {
            let middle = (low + high) / 2
            let rows = filled(words, width: middle)
            if rows.count <= count, words.allSatisfy({ $0.width <= middle }) {
                best = rows
                high = middle
            } else {
                low = middle
            }
        }
        return best
    }

    private func line(_ words: ArraySlice<Word>) -> [CueSpan] {
        guard let first = words.first, let last = words.last else { return [] }
        var line: [CueSpan] = []
        var current: Int?
        for cluster in clusters[first.range.lowerBound..<last.range.upperBound] {
            if cluster.span == current {
                line[line.count - 1].text.append(cluster.text)
            } else {
                line.append(spans[cluster.span].with(text: String(cluster.text)))
                current = cluster.span
            }
        }
        return line
    }
}
