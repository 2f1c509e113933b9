import Foundation
import TestSupport
import Testing

@testable import MediaKit

@Suite struct TranscriptWritingTests {
    @Test(arguments: TranscriptFixtures.all)
    func `SRT and WebVTT are read back as they were written`(sample: TranscriptFixtures.Sample) throws {
        let captions = try CaptionSegmenter.captions(of: sample.transcript)
        for (format, name) in [(TranscriptFormat.srt, "a.srt"), (.vtt, "a.vtt")] {
            let text = try sample.transcript.written(as: format)
            let document = try SubtitleDocument.parse(Array(text.utf8), name: name)
            #expect(document.warnings.isEmpty)
            #expect(document.format == (format == .srt ? .srt : .webVTT))
            #expect(document.cues.map(\.text) == captions.map(\.text))
            for (cue, caption) in zip(document.cues, captions) {
                #expect(abs(Double(cue.start) / 1000 - caption.start) < 0.002)
                #expect(abs(Double(cue.end) / 1000 - caption.end) < 0.002 && cue.end > cue.start)
            }
            if sample.transcript.segments.allSatisfy({ $0.channel == nil }) {
                #expect(zip(document.cues, document.cues.dropFirst()).allSatisfy { $0.end <= $1.start })
            }
        }
    }

    @Test func `what looks like markup is kept as text`() throws {
        let text = #"a <i>b</i> {\an8}c & d &amp; e --> f 1<2 & 3>2"#
        let transcript = TranscriptFixtures.one(text, seconds: 5)
        for format in [TranscriptFormat.srt, .vtt, .ass] {
            let written = try transcript.written(as: format)
            let document = try SubtitleDocument.parse(Array(written.utf8), name: "a." + format.rawValue)
            guard case .cues(let cues) = document.content else {
                #expect(written.contains(#"\{"#))
                continue
            }
            let shown = cues.map(\.text).joined(separator: " ")
                .filter { $0 != "\u{2060}" }.unicodeScalars.filter { $0 != "\u{2060}" }
            #expect(
                String(String.UnicodeScalarView(shown)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
                    == text)
            #expect(cues.allSatisfy { $0.placement == nil && !$0.spans.contains { $0.italic } })
        }
    }

    @Test func `WebVTT has voices, and a time before each word where asked`() throws {
        var options = TranscriptWriting()
        options.wordTimes = true
        let text = try TranscriptFixtures.call.written(as: .vtt, options: options)
        #expect(text.contains("<v Agent>Hello,"))
        let document = try SubtitleDocument.parse(Array(text.utf8), name: "a.vtt")
        #expect(Set(document.cues.flatMap(\.spans).compactMap(\.voice)) == ["Agent", "Caller"])
        let times = text.matches(of: /<(\d\d):(\d\d):(\d\d\.\d\d\d)>(\w+)/).map { (Double($0.3) ?? -1, String($0.4)) }
        #expect(times.contains { $0 == 0.3 && $1 == "this" })
        // Back to where it came from.
        let again = try Transcript(document)
        #expect(Set(again.segments.map(\.speaker)) == ["Agent", "Caller"])
    }

    @Test func `plain text has a paragraph for each speaker and after each long pause`() throws {
        let paragraphs = try TranscriptFixtures.call.written(as: .txt).components(separatedBy: "\n\n")
        #expect(paragraphs.count == 4)
        #expect(paragraphs[0] == "Agent: Hello, this is the support line, how can I help you today?")
        let pause = Transcript(
            duration: 20,
            segments: [TranscriptFixtures.spoken("One two."), TranscriptFixtures.spoken("Three.", from: 10)])
        #expect(try pause.written(as: .txt) == "One two.\n\nThree.\n")
        #expect(try TranscriptFixtures.japanese.written(as: .txt).contains(" ") == false)
    }

    @Test func `JSON is the transcript itself`() throws {
        let text = try TranscriptFixtures.call.written(as: .json)
        #expect(try Transcript.load(Array(text.utf8)) == TranscriptFixtures.call)
        #expect(try TranscriptFixtures.call.written(as: .json) == text)
        #expect(Transcript.looksLikeJSON(Array(text.utf8)))
        #expect(!Transcript.looksLikeJSON(Array("{1}{25}Hello".utf8)))
    }

    @Test(arguments: [
        "", "[]", "{", #"{"duration": 1}"#, #"{"duration": 1, "segments": [{"start": 2, "end": 1, "text": "a"}]}"#,
        #"{"duration": 1, "segments": [{"start": 0, "end": "x", "text": "a"}]}"#,
    ])
    func `what is no transcript is refused by name`(json: String) {
        let error = #expect(throws: MediaError.self) { try Transcript.load(Array(json.utf8), name: "talk.json") }
        #expect(error?.code == .badInput && error?.input == "talk.json")
    }

    @Test func `formats are known by name and by a file's ending`() {
        #expect(TranscriptFormat(fileName: "s3://a/b.c/talk.VTT") == .vtt)
        #expect(TranscriptFormat(fileName: "https://a/talk.srt?X-Sig=a.json") == .srt)
        #expect(TranscriptFormat(name: "webvtt") == .vtt && TranscriptFormat(name: "text") == .txt)
        #expect(TranscriptFormat(fileName: "talk") == nil && TranscriptFormat(fileName: "talk.mp4") == nil)
    }
}
