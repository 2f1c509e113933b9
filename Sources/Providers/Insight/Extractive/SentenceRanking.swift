/// Chooses sentences that say what a text is about: those whose words occur often, each word counting less once it has
/// been said.
///
/// SumBasic (Nenkova and Vanderwende, 2005, "The Impact of Frequency on Summarization"), with a weight for the place: calls
/// say at their beginning what they are about and at their end what follows. It takes time in the length of the text, not
/// in its square.
enum SentenceRanking {
    /// The places of at most `count` sentences, in order.
    ///
    /// - Parameter sentences: the words of each that count.
    static func chosen(_ sentences: [[String]], count: Int) -> [Int] {
        var weights: [String: Double] = [:]
        let total = Double(max(1, sentences.reduce(0) { $0 + $1.count }))
        for words in sentences { for word in words { weights[word, default: 0] += 1 / total } }
        var chosen: [Int] = []
        var open = Set(sentences.indices.filter { !sentences[$0].isEmpty })
        while chosen.count < count {
            var best: (place: Int, score: Double)?
            // In order, so that the first of equals is taken each time.
            for place in sentences.indices where open.contains(place) {
                let score = score(sentences[place], weights) * prior(place, of: sentences.count)
                if score > (best?.score ?? 0) { best = (place, score) }
            }
            guard let best else { break }
            open.remove(best.place)
            chosen.append(best.place)
            for word in Set(sentences[best.place]) { weights[word] = weights[word].map { $0 * $0 } }
        }
        return chosen.sorted()
    }

    /// The mean weight of its words; less for those of a few words, which say little, and for very long ones.
    private static func score(_ words: [String], _ weights: [String: Double]) -> Double {
        let mean = words.reduce(0) { $0 + (weights[$1] ?? 0) } / Double(words.count)
        let fullness = min(1, Double(words.count) / 5)
        return mean * fullness * (words.count > 40 ? 40 / Double(words.count) : 1)
    }

    private static func prior(_ place: Int, of count: Int) -> Double {
        let position = count > 1 ? Double(place) / Double(count - 1) : 0
        return position < 0.2 ? 1.25 : position > 0.85 ? 1.15 : 1
    }
}
