import Testing

@testable import MediaKit

/// With every character one unit wide, so that widths can be counted.
@Suite struct `Line breaking` {
    private func lines(
        _ text: String, width: Double, wrapping: CaptionStyle.LineWrapping = .balanced
    ) -> [String] {
        TextLayout([CueSpan(text)]) { text, _, _ in Double(text.count) }
            .lines(width: width, wrapping: wrapping)
            .map { $0.map(\.text).joined() }
    }

    @Test func `greedy lines are as full as they go`() {
        #expect(lines("aa bb cc dd ee", width: 11, wrapping: .greedy) == ["aa bb cc dd", "ee"])
    }

    @Test func `balanced lines are about as wide`() {
        #expect(lines("aa bb cc dd ee", width: 11) == ["aa bb cc", "dd ee"])
        #expect(lines("one two three four five six seven", width: 20) == ["one two three four", "five six seven"])
    }

    @Test func `a text that fits stays as it is, and so does all text without wrapping`() {
        #expect(lines("aa bb", width: 5) == ["aa bb"])
        #expect(lines("  aa bb\n\n cc ", width: 9) == ["aa bb", "cc"])
        #expect(lines("aa bb cc", width: 3, wrapping: .none) == ["aa bb cc"])
    }

    @Test func `Latin text is broken at blanks and after hyphens, never at a no-break space`() {
        #expect(lines("twenty-one", width: 7) == ["twenty-", "one"])
        #expect(lines("aa\u{A0}bb cc", width: 6) == ["aa\u{A0}bb", "cc"])
        #expect(lines("it is -5 now", width: 7, wrapping: .greedy) == ["it is", "-5 now"])
    }

    @Test func `Japanese is broken anywhere but before closing and after opening marks`() {
        #expect(lines("あいうえおか", width: 4, wrapping: .greedy) == ["あいうえ", "おか"])
        #expect(lines("あいうえ。おか", width: 4, wrapping: .greedy) == ["あいう", "え。おか"])
        #expect(lines("あいう「えお」か", width: 4, wrapping: .greedy) == ["あいう", "「えお」", "か"])
        #expect(lines("きょうはキャラ", width: 1).allSatisfy { !"ょャ".contains($0.first ?? "x") || $0.count == 1 })
        #expect(lines("しっぽ", width: 2, wrapping: .greedy) == ["しっ", "ぽ"])
    }

    @Test func `a long word is broken between characters, but never inside one`() {
        let family = "👩‍👩‍👧‍👦"
        #expect(lines("aaaaabbbbb", width: 5) == ["aaaaa", "bbbbb"])
        #expect(lines(family + family + family, width: 1) == [family, family, family])
        #expect(lines("e\u{301}e\u{301}e\u{301}", width: 1) == ["e\u{301}", "e\u{301}", "e\u{301}"])
        #expect(lines("🇯🇵🇯🇵", width: 1) == ["🇯🇵", "🇯🇵"])
    }

    @Test func `a mark that opens a span stays with its letter`() {
        let layout = TextLayout([CueSpan("e"), CueSpan("\u{301}x", italic: true)]) { text, _, _ in Double(text.count) }
        let texts = layout.lines(width: 1, wrapping: .balanced).map { $0.map(\.text).joined() }
        #expect(texts == ["e\u{301}", "x"])
    }

    @Test func `styles survive breaking`() {
        let spans = [CueSpan("aa "), CueSpan("bb cc", bold: true), CueSpan(" dd")]
        let lines = TextLayout(spans) { text, bold, _ in Double(text.count) * (bold ? 2 : 1) }
            .lines(width: 8, wrapping: .greedy)
        #expect(lines == [[CueSpan("aa "), CueSpan("bb", bold: true)], [CueSpan("cc", bold: true), CueSpan(" dd")]])
    }

    @Test func `a measurer that gives nonsense does no harm`() {
        for nonsense in [Double.nan, .infinity, -1, 0] {
            let lines = TextLayout([CueSpan("aa bb cc")]) { _, _, _ in nonsense }.lines(width: 3, wrapping: .balanced)
            #expect(lines.flatMap { $0 }.map(\.text).joined(separator: " ") == "aa bb cc")
        }
    }

    @Test func `the estimate knows wide, narrow and invisible characters`() {
        let width = { (text: String) in TextLayoutWidth.estimate(text, bold: false, italic: false) }
        #expect(width("漢") > width("m"))
        #expect(width("m") > width("i"))
        #expect(width("e\u{301}") == width("e"))
        #expect(width("\u{200B}\u{2060}") == 0)
        #expect(width("👩‍👩‍👧‍👦") == width("😀"))
        #expect(TextLayoutWidth.estimate("abc", bold: true, italic: false) > width("abc"))
    }
}
