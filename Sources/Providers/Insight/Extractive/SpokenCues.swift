/// What people say when they promise or ask for something, and how they sound.
enum SpokenCues {
    /// Who is to act on a sentence.
    enum Commitment: Equatable { case speaker, open }

    /// Whether a sentence promises or asks for something to be done.
    static func commitment(in text: String) -> Commitment? {
        let words = " " + SpokenWords.words(in: text).map(\.key).joined(separator: " ") + " "
        if own.contains(where: { words.contains(" \($0) ") }) { return .speaker }
        return asked.contains { words.contains(" \($0) ") } ? .open : nil
    }

    private static let own = [
        "i'll send", "i'll call", "i'll get", "i'll check", "i'll make", "i'll look", "i'll have", "i'll email",
        "i'll give",
        "i'll follow", "i'll talk", "i'll ask", "i'll let you know", "i'll put", "i'll set", "i'll bring",
        "i'll take care",
        "i'll forward", "i'll schedule", "i will", "we'll send", "we'll call", "we'll get", "we'll schedule",
        "we'll follow",
        "we'll look", "we'll check", "we will", "let me check", "let me send", "let me get back", "i'm going to send",
        "i'm going to call", "i can send you", "ich werde", "ich schicke", "ich sende", "ich rufe", "ich melde mich",
        "wir werden", "wir schicken", "voy a", "le enviaré", "te enviaré", "vamos a enviar", "je vais",
        "je vous envoie",
        "nous allons", "vou enviar", "vou ligar", "le mando", "ti mando",
    ]
    private static let asked = [
        "can you send", "could you send", "can you please", "could you please", "please send", "please call",
        "please make sure", "please check", "make sure you", "don't forget", "you need to", "we need to", "needs to be",
        "has to be", "have to be", "you should", "follow up", "call me back", "call you back", "get back to me",
        "können sie bitte", "bitte schicken", "bitte senden", "sie müssen", "wir müssen", "puede enviar",
        "por favor envíe",
        "hay que", "tenemos que", "pouvez-vous", "il faut", "on doit", "precisa enviar", "precisamos", "dobbiamo",
    ]

    /// A small lexicon of English, by which clear cases can be told from the rest.
    static func sentiment(of sentences: [SpokenSentence], language: String) -> CallInsights.Sentiment {
        guard language == "en" else { return .unknown }
        var good = 0
        var bad = 0
        for sentence in sentences {
            let words = SpokenWords.words(in: sentence.text).map(\.key)
            for (index, word) in words.enumerated() {
                let isGood = positive.contains(word)
                guard isGood || negative.contains(word) else { continue }
                // "not good", "wasn't very helpful"
                let isTurned = words[max(0, index - 3)..<index].contains {
                    ["not", "no", "never", "cannot"].contains($0) || $0.hasSuffix("n't")
                }
                if isGood != isTurned { good += 1 } else { bad += 1 }
            }
        }
        let count = good + bad
        // Fewer are chance.
        guard count >= 4 else { return .unknown }
        let score = Double(good - bad) / Double(count)
        let label: CallInsights.Sentiment.Label =
            if abs(score) >= 0.4 { score > 0 ? .positive : .negative } else { count >= 8 ? .mixed : .neutral }
        return .init(label: label, score: (score * 100).rounded() / 100)
    }

    private static let positive: Set<String> = [
        "amazing", "appreciate", "awesome", "excellent", "excited", "fantastic", "glad", "grateful", "great", "happy",
        "helpful", "impressed", "love", "loved", "lovely", "nice", "perfect", "pleased", "resolved", "satisfied",
        "solved",
        "wonderful", "good", "thrilled", "delighted",
    ]
    private static let negative: Set<String> = [
        "angry", "annoyed", "annoying", "awful", "bad", "broken", "cancel", "complain", "complaint", "confused",
        "disappointed", "disappointing", "failed", "fails", "frustrated", "frustrating", "hate", "horrible", "issue",
        "issues", "lost", "problem", "problems", "ridiculous", "terrible", "unacceptable", "unhappy", "unfortunately",
        "upset", "useless", "worried", "worst", "wrong", "sorry", "mess", "refund",
    ]
}
