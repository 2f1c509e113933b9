/// Phrases that a text is about, as they stand in it.
///
/// RAKE (Rose et al., 2010, "Automatic Keyword Extraction from Individual Documents"): a phrase is what stands between stop
/// words and punctuation, and weighs by how much its words go with others.
enum Keyphrases {
    /// At most `count` phrases, the weightiest first.
    static func phrases(of sentences: [SpokenSentence], _ stop: StopWords, count: Int) -> [String] {
        struct Candidate {
            var surface: String
            var words: [String]
            var occurrences: Int
            var place: Int
        }
        var candidates: [String: Candidate] = [:]
        var order: [String] = []
        var frequency: [String: Double] = [:]
        var degree: [String: Double] = [:]

        func add(_ words: [SpokenWords.Word], in text: String) {
            guard let first = words.first, let last = words.last, words.count <= 4 else { return }
            for word in words {
                frequency[word.key, default: 0] += 1
                degree[word.key, default: 0] += Double(words.count)
            }
            guard words.contains(where: { $0.key.count > 2 && $0.key.contains(where: \.isLetter) }) else { return }
            let key = words.map(\.key).joined(separator: " ")
            if candidates[key] == nil {
                candidates[key] = Candidate(
                    surface: String(text[first.surface.startIndex..<last.surface.endIndex]), words: words.map(\.key),
                    occurrences: 0, place: order.count)
                order.append(key)
            }
            candidates[key]?.occurrences += 1
        }

        for sentence in sentences {
            var run: [SpokenWords.Word] = []
            for word in SpokenWords.words(in: sentence.text) {
                let isContent = !stop.contains(word.key) && !isPair(word) && !word.key.allSatisfy(\.isNumber)
                if isContent { run.append(word) }
                if !isContent || word.endsPhrase {
                    add(run, in: sentence.text)
                    run = []
                }
            }
            add(run, in: sentence.text)
        }
        let scored = order.compactMap { candidates[$0] }.map { candidate in
            let weight = candidate.words.reduce(0.0) { $0 + (degree[$1] ?? 0) / (frequency[$1] ?? 1) }
            // What is said again weighs more; a phrase of one word that is said once is chance.
            let repeats = Double(candidate.occurrences)
            return (candidate, weight * repeats * (candidate.words.count == 1 && repeats == 1 ? 0.25 : 1))
        }
        let ranked = scored.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.place < $1.0.place }
        var chosen: [Candidate] = []
        for (candidate, _) in ranked where chosen.count < count {
            // Not again what is part of one that is there.
            let isPart = chosen.contains { other in candidate.words.allSatisfy(other.words.contains) }
            if !isPart { chosen.append(candidate) }
        }
        return chosen.map(\.surface)
    }

    /// Pairs of letters of scripts without blanks are for counting: they are no phrases.
    private static func isPair(_ word: SpokenWords.Word) -> Bool {
        word.surface.unicodeScalars.first.map { (0x3041...0x9FFF).contains($0.value) } ?? false
    }
}
