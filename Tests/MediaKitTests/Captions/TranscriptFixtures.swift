import Foundation
import MediaKit
import TestSupport
import Testing

/// Transcripts to make captions of.
enum TranscriptFixtures {
    struct Sample: CustomTestStringConvertible, Sendable {
        var name: String
        var transcript: Transcript
        var testDescription: String { name }
    }

    /// Real ones where the media folder is there, and made-up ones in several scripts.
    static let all: [Sample] = real + madeUp

    static let real: [Sample] = ["subs/real_long_en.srt", "audio/long_en_8k_5min.srt"].compactMap { name in
        guard Media.isPresent, let bytes = try? Array(Data(contentsOf: URL(filePath: Media.file(name)))),
            let document = try? SubtitleDocument.parse(bytes, name: name),
            let transcript = try? Transcript(document, language: "en")
        else { return nil }
        return Sample(name: name, transcript: transcript)
    }

    static let madeUp: [Sample] = [
        Sample(name: "English words", transcript: english),
        Sample(name: "Japanese", transcript: japanese),
        Sample(
            name: "Chinese without a language",
            transcript: one("你好，世界。今天我们要学习如何制作字幕，这是一件很有意思的事情，请大家认真听讲。", seconds: 12)),
        Sample(
            name: "Arabic",
            transcript: one(
                "مرحبا بالعالم، هذا نص طويل يجب أن يقسم إلى عدة أسطر حتى يمكن قراءته بسهولة على الشاشة.", seconds: 9,
                language: "ar")),
        Sample(name: "Thai", transcript: one(String(repeating: "สวัสดีชาวโลก", count: 12), seconds: 20, language: "th")),
        Sample(name: "a word longer than a line", transcript: one(String(repeating: "donau", count: 30), seconds: 8)),
        Sample(name: "two channels", transcript: call),
    ]

    static func one(_ text: String, seconds: Double, language: String? = nil) -> Transcript {
        Transcript(
            language: language, duration: seconds, segments: [.init(start: 0, end: seconds, text: text)])
    }

    /// Words at an even pace with pauses after sentences.
    static func spoken(
        _ text: String, from start: Double = 0, perWord: Double = 0.3, pause: Double = 0.4, speaker: String? = nil,
        channel: Int? = nil
    ) -> Transcript.Segment {
        var time = start
        var words: [Transcript.Word] = []
        for word in text.split(separator: " ") {
            words.append(.init(start: time, end: time + perWord * 0.9, text: String(word)))
            time += perWord + (word.last == "." ? pause : 0)
        }
        return .init(
            start: start, end: words.last?.end ?? start, text: text, words: words, speaker: speaker, channel: channel)
    }

    static let english: Transcript = {
        let text = """
            So the first thing that we need to understand is how captions are cut into lines. A good caption ends where a \
            sentence ends, or at least at a comma, because readers lose the thread otherwise. It never leaves a lone word \
            behind. And when nobody speaks for a while it goes away. Mr. Smith said that this is easy to get wrong in many \
            small ways which nobody sees until they watch the film with the sound turned off.
            """
        let segment = spoken(text)
        return Transcript(language: "en", duration: segment.end + 2, segments: [segment])
    }()

    static let japanese: Transcript = {
        let text = "こんにちは、皆さん。今日は字幕の作り方についてお話しします。まず、音声を聞いて、言葉を時間に合わせます。"
        let each = 0.18
        let words = text.enumerated().map { index, character in
            Transcript.Word(start: Double(index) * each, end: Double(index + 1) * each, text: String(character))
        }
        let end = words.last?.end ?? 0
        return Transcript(
            language: "ja", duration: end + 1, segments: [.init(start: 0, end: end, text: text, words: words)])
    }()

    /// A call whose speakers talk at the same time once.
    static let call = Transcript(
        language: "en", duration: 20,
        segments: [
            spoken("Hello, this is the support line, how can I help you today?", speaker: "Agent", channel: 0),
            spoken("Yes hi, I have a question about my last bill.", from: 3.2, speaker: "Caller", channel: 1),
            spoken("Of course, let me look that up for you.", from: 8, speaker: "Agent", channel: 0),
            spoken("Thank you very much indeed.", from: 12, speaker: "Caller", channel: 1),
        ])
}
