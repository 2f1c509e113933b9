import Foundation
import TestSupport
import Testing

@testable import MediaKit

@Suite struct CaptionSegmenterTests {
    private func letters(_ text: String) -> String { text.filter { !$0.isWhitespace } }

    @Test(arguments: TranscriptFixtures.all)
    func `no word is lost, doubled or moved`(sample: TranscriptFixtures.Sample) throws {
        let captions = try CaptionSegmenter.captions(of: sample.transcript)
        for channel in Set(sample.transcript.segments.map(\.channel)) {
            let said = sample.transcript.segments.filter { $0.channel == channel }.map(\.text).joined()
            let shown = captions.filter { $0.channel == channel }.flatMap(\.words).map(\.text).joined()
            #expect(letters(shown) == letters(said))
        }
    }

    @Test(arguments: TranscriptFixtures.all)
    func `every rule holds`(sample: TranscriptFixtures.Sample) throws {
        let rules = CaptionRules().filled(for: sample.transcript.spokenLanguage)
        let captions = try CaptionSegmenter.captions(of: sample.transcript)
        #expect(!captions.isEmpty)
        for (index, caption) in captions.enumerated() {
            #expect(caption.lines.count <= rules.lines && caption.lines.allSatisfy { !$0.isEmpty })
            for line in caption.lineTexts { #expect(rules.length(line) <= rules.lineLength, "\(line)") }
            #expect(caption.end > caption.start)
            #expect(caption.end - caption.start <= rules.maximumDuration + 1e-9)
            for (word, next) in zip(caption.words, caption.words.dropFirst()) {
                #expect(word.start <= word.end && word.end <= next.start)
                // A pause ends a caption.
                #expect(next.start - word.end < rules.pause)
            }
            #expect(caption.words.allSatisfy { $0.start >= caption.start && $0.end <= caption.end })
            guard let next = captions[(index + 1)...].first(where: { $0.channel == caption.channel }) else { continue }
            #expect(caption.end <= next.start)
            let gap = next.start - caption.end
            // Small gaps are closed, but not so far that there is none.
            #expect(gap >= rules.minimumGap - 1e-9 || caption.end - caption.start <= 0.1 + 1e-9)
        }
    }

    @Test(arguments: TranscriptFixtures.real)
    func `no short word is left alone while others are spoken around it`(sample: TranscriptFixtures.Sample) throws {
        let rules = CaptionRules().filled(for: "en")
        let captions = try CaptionSegmenter.captions(of: sample.transcript)
        for (index, caption) in captions.enumerated() where index > 0 && index + 1 < captions.count {
            for line in caption.lines where caption.words.count > 3 {
                #expect(line.count > 1 || rules.length(line[0].text) >= 8, "\(caption.text)")
            }
            guard caption.words.count == 1, caption.text.count < 8 else { continue }
            let word = caption.words[0].text
            let isAlone =
                caption.start - (captions[index - 1].words.last?.end ?? 0) >= rules.pause
                || captions[index + 1].start - caption.words[0].end >= rules.pause
            #expect(isAlone || CaptionPunctuation.end(of: word) == .sentence, "\(word)")
        }
    }

    @Test func `a word from before the beginning keeps the times of the others`() throws {
        var segment = TranscriptFixtures.spoken("One two three.", perWord: 0.5)
        segment.words[0].start = -0.02
        segment.words[2].start = 2
        segment.words[2].end = 2.4
        segment.end = 2.4
        let words = try CaptionSegmenter.captions(of: Transcript(duration: 3, segments: [segment])).flatMap(\.words)
        #expect(words.map(\.start) == [0, 0.5, 2])
    }

    @Test func `words that nobody sees make no captions`() throws {
        let text = "\u{200B} Hello \u{200D}\u{2060} there. \u{FEFF}"
        let captions = try CaptionSegmenter.captions(of: TranscriptFixtures.one(text, seconds: 3))
        #expect(captions.map(\.text) == ["Hello there."])
    }

    @Test func `a crowd that speaks at once is cut in no time`() throws {
        let segments = (0..<20_000).map { index in
            Transcript.Segment(start: 0, end: 1e6, text: "w\(index)")
        }
        let captions = try CaptionSegmenter.captions(of: Transcript(duration: 1e6, segments: segments))
        #expect(captions.flatMap(\.words).count == 20_000)
    }

    @Test func `a language is a tag, by its name as well`() {
        func tag(_ language: String?) -> String? {
            Transcript(language: language, duration: 0, segments: []).languageTag
        }
        #expect(tag("english") == "en" && tag("pt_BR") == "pt-BR" && tag("de") == "de")
        #expect(tag(nil) == nil && tag("") == nil && tag("the French one") == nil)
    }

    @Test func `speech that can be read in time is shown long enough`() throws {
        let captions = try CaptionSegmenter.captions(of: TranscriptFixtures.english)
        for caption in captions {
            let length = Double(caption.lineTexts.reduce(0) { $0 + $1.count })
            // Three words a second are about as fast as can be read.
            #expect(length / (caption.end - caption.start) < 17 * 1.35, "\(caption.text)")
            #expect(caption.end - caption.start >= 5.0 / 6)
        }
    }

    @Test func `captions end where sentences and clauses do`() throws {
        let texts = try CaptionSegmenter.captions(of: TranscriptFixtures.english).map(\.text)
        let ends = texts.count { CaptionPunctuation.end(of: $0) != .none }
        #expect(ends * 2 >= texts.count, "\(texts)")
        for text in texts {
            let last = text.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
            #expect(!["the", "a", "of", "to", "in", "and", "that"].contains(last.lowercased()), "\(text)")
        }
        // An abbreviation ends no sentence.
        #expect(!texts.contains { $0.hasSuffix("Mr.") })
    }

    @Test func `a caption never holds two speakers`() throws {
        let captions = try CaptionSegmenter.captions(of: TranscriptFixtures.call)
        for caption in captions {
            let own = TranscriptFixtures.call.segments.filter { $0.speaker == caption.speaker }
            let words = Set(own.flatMap { $0.text.split(separator: " ").map(String.init) })
            #expect(caption.words.allSatisfy { words.contains($0.text) })
        }
        // They spoke at the same time, and so are shown at the same time.
        let agent = try #require(captions.last { $0.speaker == "Agent" && $0.start < 4 })
        let caller = try #require(captions.first { $0.speaker == "Caller" })
        #expect(caller.start < agent.end)
    }

    @Test func `speakers are marked by dashes or names, inside the line's length`() throws {
        for (marks, first) in [
            (CaptionRules.SpeakerMarks.dashes, "- Hello"), (.labels, "Agent: Hello"), (.none, "Hello"),
        ] {
            let captions = try CaptionSegmenter.captions(
                of: TranscriptFixtures.call, rules: CaptionRules(speakerMarks: marks))
            #expect(captions.first?.text.hasPrefix(first) == true)
            #expect(captions.flatMap(\.lineTexts).allSatisfy { $0.count <= 42 })
        }
        let long = Transcript(
            duration: 4,
            segments: [
                .init(start: 0, end: 2, text: "Hello there", speaker: String(repeating: "Very long name ", count: 9)),
                .init(start: 2, end: 4, text: "Good morning to you all", speaker: "B"),
            ])
        let captions = try CaptionSegmenter.captions(of: long, rules: CaptionRules(speakerMarks: .labels))
        #expect(captions.flatMap(\.lineTexts).allSatisfy { $0.count <= 42 })
    }

    @Test func `rules that are given replace those of the language`() throws {
        let captions = try CaptionSegmenter.captions(
            of: TranscriptFixtures.english, rules: CaptionRules(maximumLineLength: 20, maximumLines: 1, maximumWords: 3)
        )
        #expect(captions.allSatisfy { $0.lines.count == 1 && $0.words.count <= 3 && $0.text.count <= 20 })
        let japanese = try CaptionSegmenter.captions(of: TranscriptFixtures.japanese)
        #expect(japanese.flatMap(\.lineTexts).allSatisfy { $0.count <= 16 && !$0.contains(" ") })
        // Japanese lines begin with no punctuation.
        #expect(!japanese.flatMap(\.lineTexts).contains { "、。".contains($0.first ?? " ") })
    }

    @Test func `rules out of range are refused by name`() throws {
        for (json, name) in [
            (#"{"maximumLineLength": 3}"#, "maximumLineLength"), (#"{"readingSpeed": 0}"#, "readingSpeed"),
            (#"{"minimumDuration": 8, "maximumDuration": 4}"#, "minimumDuration"),
            (#"{"maximumLines": 0}"#, "maximumLines"),
        ] {
            let rules = try JSONDecoder().decode(CaptionRules.self, from: Data(json.utf8))
            let error = #expect(throws: MediaError.self) {
                try CaptionSegmenter.captions(of: TranscriptFixtures.english, rules: rules)
            }
            #expect(error?.code == .badRequest && error?.description.contains(name) == true)
        }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(CaptionRules.self, from: Data(#"{"maximumLine": 2}"#.utf8))
        }
        let all = CaptionRules.defaults(for: "ja")
        #expect(try JSONDecoder().decode(CaptionRules.self, from: JSONEncoder().encode(all)) == all)
    }

    @Test func `damaged times do no harm`() throws {
        let words = (0..<40).map { Transcript.Word(start: Double(40 - $0), end: -1, text: "word\($0)") }
        let text = words.map(\.text).joined(separator: " ")
        for segment in [
            Transcript.Segment(start: 5, end: 1, text: text, words: words),
            .init(start: .nan, end: .infinity, text: text),
            .init(start: 1, end: 1, text: text),
        ] {
            let captions = try CaptionSegmenter.captions(of: Transcript(duration: 0, segments: [segment]))
            #expect(captions.flatMap(\.words).map(\.text) == words.map(\.text))
            #expect(captions.allSatisfy { $0.end > $0.start && $0.start >= 0 })
        }
        #expect(try CaptionSegmenter.captions(of: Transcript(duration: 9, segments: [])).isEmpty)
    }
}
