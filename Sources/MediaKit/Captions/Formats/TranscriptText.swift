extension Transcript {
    /// Plain text: a paragraph for each stretch of a speaker, and after each long pause. Where there are several
    /// speakers, their names stand before what they say.
    func plainText(paragraphPause: Double) -> String {
        let runs = SpeechRun.all(of: self).sorted { ($0.words.first?.start ?? 0) < ($1.words.first?.start ?? 0) }
        let names = runs.map { $0.speaker ?? $0.channel.map { "Channel \($0 + 1)" } }
        let isDialogue = Set(names).count > 1
        var text = ""
        for (run, name) in zip(runs, names) {
            var paragraph: [Caption.Word] = []
            func finish() {
                guard !paragraph.isEmpty else { return }
                if !text.isEmpty { text += "\n" }
                if isDialogue, let name { text += name + ": " }
                text += Caption.text(of: paragraph) + "\n"
                paragraph = []
            }
            for word in run.words {
                if let last = paragraph.last, word.start - last.end >= paragraphPause { finish() }
                paragraph.append(word)
            }
            finish()
        }
        return text
    }
}
