/// Things that can be told by their look: numbers to call, addresses, amounts, dates, and names by their capital letters.
enum EntityRules {
    /// Sentence by sentence, each once, as they stand in the text.
    static func entities(in sentences: [SpokenSentence], _ stop: StopWords) -> [CallInsights.Entity] {
        var found: [CallInsights.Entity] = []
        var seen: Set<CallInsights.Entity> = []
        func add(_ type: CallInsights.Entity.Kind, _ text: Substring) {
            let entity = CallInsights.Entity(type: type, text: text.trimmed)
            if seen.insert(entity).inserted { found.append(entity) }
        }
        for sentence in sentences {
            var taken: [Range<String.Index>] = []
            for (type, ranges) in matches(sentence.text) {
                for range in ranges where !taken.contains(where: { $0.overlaps(range) }) {
                    taken.append(range)
                    add(type, sentence.text[range])
                }
            }
            for name in names(in: sentence.text, stop) where !taken.contains(where: { $0.overlaps(name) }) {
                add(.name, sentence.text[name])
            }
        }
        return found
    }

    /// The first date in a sentence.
    static func date(in text: String) -> String? {
        text.firstMatch(of: Patterns().date).map { String(text[$0.range]).trimmed }
    }

    private static func matches(_ text: String) -> [(CallInsights.Entity.Kind, [Range<String.Index>])] {
        let patterns = Patterns()
        // Only a sentence that can hold one is looked through.
        let hasDigit = text.utf8.contains { (0x30...0x39).contains($0) }
        var found: [(CallInsights.Entity.Kind, [Range<String.Index>])] = []
        if text.utf8.contains(UInt8(ascii: "@")) {
            found.append((.email, text.matches(of: patterns.email).map(\.range)))
        }
        if text.contains("://") || text.contains("www.") {
            found.append((.url, text.matches(of: patterns.url).map(\.range)))
        }
        found.append((.date, text.matches(of: patterns.date).map(\.range)))
        guard hasDigit else { return found }
        found.append((.amount, text.matches(of: patterns.amount).map(\.range)))
        let numbers = text.matches(of: patterns.phone).map(\.range).filter {
            (7...15).contains(text[$0].filter(\.isNumber).count)
        }
        found.append((.phone, numbers))
        return found
    }

    /// Made where they are used: a `Regex` is not `Sendable`.
    private struct Patterns {
        let email = /[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}/
        let url = /(?:https?:\/\/|www\.)[^\s,;"')]+[^\s,;"').?!]/
        let phone = /\+?\(?[0-9](?:[0-9]|[ .\-()\/](?=[0-9(])){5,20}[0-9]/
        let amount =
            /(?i)(?:[$€£¥]\s?[0-9]+(?:[.,][0-9]+)*(?:\s?(?:k|million|billion))?)|(?:[0-9]+(?:[.,][0-9]+)*\s?(?:%|€|£|percent|dollars?|bucks|euros?|pounds|usd|eur|gbp|prozent|dólares|pesos))/
        let date =
            /(?i)(?:\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b)|(?:\b[0-9]{1,2}[\/.][0-9]{1,2}[\/.][0-9]{2,4}\b)|(?:\b(?:january|february|march|april|june|july|august|september|october|november|december)\s+[0-9]{1,2}(?:st|nd|rd|th)?\b(?:,?\s+[0-9]{4}\b)?)|(?:\b[0-9]{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:january|february|march|april|may|june|july|august|september|october|november|december)\b)|(?:\b(?:next\s+|this\s+|last\s+)?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b)|(?:\b(?:tomorrow|tonight|next\s+week|next\s+month|end\s+of\s+the\s+(?:day|week|month))\b)|(?:\b(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|morgen\s+früh)\b)|(?:\b(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo|mañana)\b)|(?:\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|demain)\b)/
    }

    private static let titles: Set<String> = ["mr", "mrs", "ms", "dr", "prof"]

    /// Runs of words with capitals that do not stand at a sentence's beginning, where any word has one.
    private static func names(in text: String, _ stop: StopWords) -> [Range<String.Index>] {
        // German writes all its nouns so.
        guard stop.language != "de" else { return [] }
        let words = SpokenWords.words(in: text)
        var names: [Range<String.Index>] = []
        var run: [SpokenWords.Word] = []
        func close(atStart: Bool) {
            defer { run = [] }
            guard let first = run.first, let last = run.last else { return }
            guard !(atStart && run.count == 1) else { return }
            names.append(first.surface.startIndex..<last.surface.endIndex)
        }
        var startsAtFirst = false
        for (index, word) in words.enumerated() {
            let isCapital =
                word.surface.first?.isUppercase == true && word.surface.count > 1 && !stop.contains(word.key)
                && !titles.contains(word.key)
            if isCapital {
                if run.isEmpty { startsAtFirst = index == 0 }
                run.append(word)
            }
            if !isCapital || word.endsPhrase { close(atStart: startsAtFirst) }
        }
        close(atStart: startsAtFirst)
        return names
    }
}
