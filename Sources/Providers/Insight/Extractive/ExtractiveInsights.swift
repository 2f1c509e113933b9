import MediaKit

/// Insight by rules: sentences, phrases and names of the transcript, word for word, and the same ones each time.
struct ExtractiveInsights: Sendable {
    let insights: CallInsights

    init(_ transcript: Transcript) {
        let sentences = SpokenSentence.all(of: transcript)
        guard !sentences.isEmpty else {
            insights = .empty
            return
        }
        let words = sentences.map { SpokenWords.words(in: $0.text).map(\.key) }
        let stop = StopWords(language: transcript.language, sample: words.flatMap(\.self))
        let content = words.map { words in words.filter { !stop.contains($0) } }
        // A fifth of what was said, five sentences at most.
        let places = SentenceRanking.chosen(content, count: min(5, max(1, (sentences.count + 4) / 5)))
        // Of a call of nothing but small words, what was said first.
        let summary = (places.isEmpty ? [0] : places).map { sentences[$0].text }
        var said: Set<String> = []
        let actions = sentences.compactMap { sentence -> CallInsights.ActionItem? in
            guard let commitment = SpokenCues.commitment(in: sentence.text), said.insert(sentence.text).inserted else {
                return nil
            }
            return CallInsights.ActionItem(
                owner: commitment == .speaker ? sentence.speaker : nil, text: sentence.text,
                due: EntityRules.date(in: sentence.text))
        }
        insights = CallInsights(
            summary: summary.joined(separator: " "),
            sentiment: SpokenCues.sentiment(of: sentences, language: stop.language),
            topics: Keyphrases.phrases(of: sentences, stop, count: 6), actionItems: Array(actions.prefix(20)),
            entities: Array(EntityRules.entities(in: sentences, stop).prefix(50)),
            // Calls end with what follows.
            nextStep: actions.last?.text, engine: "extractive", model: nil, method: .extractive, usage: ChatUsage())
    }
}
