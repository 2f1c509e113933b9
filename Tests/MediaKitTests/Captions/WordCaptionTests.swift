import Foundation
import TestSupport
import Testing

@testable import MediaKit

@Suite struct WordCaptionTests {
    private static let canvases = [
        CaptionCanvas(width: 1920, height: 1080), CaptionCanvas(width: 1080, height: 1920),
        CaptionCanvas(width: 320, height: 180), CaptionCanvas(width: 720, height: 720),
    ]

    private func script(
        _ preset: CaptionLook.Preset, _ transcript: Transcript = TranscriptFixtures.english,
        _ canvas: CaptionCanvas = WordCaptionTests.canvases[0], _ change: (inout CaptionLook) -> Void = { _ in }
    ) throws -> ASSScript {
        var look = CaptionLook(preset: preset)
        change(&look)
        return try WordCaptionWriter(look: look, canvas: canvas).write(transcript)
    }

    /// An event's text without its tags.
    private func plain(_ event: ASSEvent) -> String {
        event.text.replacing(/\{[^}]*\}/, with: "").replacing("\\N", with: " ")
    }

    @Test(arguments: CaptionLook.Preset.allCases)
    func `the words of a preset are those of the transcript, in every script and size`(
        preset: CaptionLook.Preset
    ) throws {
        for sample in TranscriptFixtures.madeUp {
            for canvas in Self.canvases {
                let writer = try WordCaptionWriter(
                    look: CaptionLook(preset: preset, uppercase: false), canvas: canvas)
                let captions = try writer.captions(of: sample.transcript)
                let texts = try writer.write(sample.transcript).events.filter { $0.layer >= 2 }
                for caption in captions {
                    let start = Int64((caption.start * 1000).rounded())
                    let text = caption.lineTexts.joined(separator: " ")
                    #expect(texts.contains { $0.start == start && plain($0) == text }, "\(sample.name): \(text)")
                }
                for channel in Set(sample.transcript.segments.map(\.channel)) {
                    let said = sample.transcript.segments.filter { $0.channel == channel }.map(\.text).joined()
                    let shown = captions.filter { $0.channel == channel }.flatMap(\.words).map(\.text).joined()
                    #expect(shown == said.filter { !$0.isWhitespace }, "\(sample.name)")
                }
            }
        }
    }

    @Test(arguments: CaptionLook.Preset.allCases)
    func `nothing is animated, and an event lasts until a word changes`(preset: CaptionLook.Preset) throws {
        let script = try script(preset)
        for event in script.events {
            #expect(!CaptionSchedule.isAnimated(text: event.text.utf8, hasEffect: false))
            #expect(event.end > event.start)
        }
        let words = TranscriptFixtures.english.words
        let boundaries = Set(words.flatMap { [$0.start, $0.end] }.map { Int64(($0 * 1000).rounded()) })
        let captionEnds = Set(
            try WordCaptionWriter(look: CaptionLook(preset: preset), canvas: Self.canvases[0])
                .captions(of: TranscriptFixtures.english).map { Int64(($0.end * 1000).rounded()) })
        for event in script.events {
            #expect(boundaries.contains(event.start) || captionEnds.contains(event.start))
        }
        #expect(script.events.count <= words.count * 5)
    }

    @Test func `a sweep on request is one event with karaoke tags`() throws {
        let script = try script(.karaoke) { $0.sweep = true }
        #expect(script.events.allSatisfy { $0.text.contains("\\kf") })
        #expect(script.events.count < TranscriptFixtures.english.words.count / 3)
    }

    @Test func `portrait has fewer words at a time, and larger ones`() throws {
        for preset in CaptionLook.Preset.allCases where preset != .pop {
            func most(_ canvas: CaptionCanvas) throws -> Int {
                try WordCaptionWriter(look: CaptionLook(preset: preset), canvas: canvas)
                    .captions(of: TranscriptFixtures.english).map { $0.words.count }.max() ?? 0
            }
            #expect(try most(Self.canvases[1]) < most(Self.canvases[0]))
            let sizes = Self.canvases.prefix(2).map {
                WordCaptionStyle(look: CaptionLook(preset: preset), canvas: $0).style.fontSize
            }
            #expect(sizes[1] > sizes[0])
        }
    }

    @Test(arguments: [CaptionLook.Preset.bold, .karaoke, .classic])
    func `a word too long for its line stands alone`(preset: CaptionLook.Preset) throws {
        let transcript = TranscriptFixtures.one(
            "it was Unabhängigkeitserklärung to us and Rechtsschutzversicherung or so", seconds: 6, language: "de")
        for canvas in Self.canvases {
            let writer = try WordCaptionWriter(look: CaptionLook(preset: preset), canvas: canvas)
            for caption in try writer.captions(of: transcript)
            where caption.words.contains(where: { $0.text.count > 20 }) {
                let lengths = caption.lines.map { Caption.text(of: $0).count }
                let longest = try writer.captions(of: TranscriptFixtures.english).flatMap(\.lineTexts).map(\.count)
                    .max()
                #expect(caption.words.count == 1 || (lengths.max() ?? 0) <= (longest ?? 0) + 8, "\(caption.text)")
            }
        }
    }

    @Test func `captions at the same time stand above each other`() throws {
        let events = try script(.box, TranscriptFixtures.call).events.filter { $0.layer == 2 }
        for (index, one) in events.enumerated() {
            for other in events[(index + 1)...] where other.start < one.end && one.start < other.end {
                let places = [one, other].map { String($0.text.prefix { $0 != ")" }) }
                #expect(places[0] != places[1] || plain(one) == plain(other))
            }
        }
    }

    @Test func `braces and backslashes of the text are no tags`() throws {
        let transcript = TranscriptFixtures.one(#"a {\pos(0,0)} \N b {x}"#, seconds: 3)
        for preset in CaptionLook.Preset.allCases {
            let script = try script(preset, transcript) { $0.uppercase = false }
            #expect(script.events.allSatisfy { !$0.text.contains(#"{\pos(0,0)"#) })
            #expect(script.events.contains { $0.text.contains(#"\{"#) })
        }
    }

    @Test func `a look comes back from JSON as it was, and what is wrong is refused`() throws {
        let look = CaptionLook(
            preset: .karaoke, fontFamily: "Noto Sans", fontSize: 0.1, bold: false, uppercase: true, color: .white,
            highlightColor: .black, boxColor: .white, highlightScale: 1.2, outlineColor: .black, outlineWidth: 0.1,
            backgroundColor: .black, position: 0.5, sweep: true, speakerColors: [.white, .black],
            rules: CaptionRules(maximumWords: 4))
        #expect(try JSONDecoder().decode(CaptionLook.self, from: JSONEncoder().encode(look)) == look)
        #expect(try JSONDecoder().decode(CaptionLook.self, from: Data("{}".utf8)) == CaptionLook())
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(CaptionLook.self, from: Data(#"{"colour": "white"}"#.utf8))
        }
        for wrong in [
            CaptionLook(highlightScale: 9), CaptionLook(position: 2), CaptionLook(fontSize: 3),
            CaptionLook(rules: CaptionRules(maximumLines: 0)), CaptionLook(fontFamily: "a{b"),
        ] as [CaptionLook] {
            #expect(throws: MediaError.self) { try wrong.validate() }
        }
    }
}
