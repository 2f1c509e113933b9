import Providers
import Testing

struct WordErrorRateTests {
    @Test func `case and punctuation are no errors, words are`() {
        let same = WordErrorRate(of: "ask not what YOUR country can do", against: "Ask not: what your country, can do.")
        #expect(same.rate == 0 && same.words == 7)
        let wrong = WordErrorRate(of: "ask knot your own country", against: "ask not what your country")
        #expect(wrong.substitutions == 1 && wrong.deletions == 1 && wrong.insertions == 1)
        #expect(wrong.rate == 0.6)
        #expect(WordErrorRate(of: "", against: "two words").rate == 1)
    }
}
