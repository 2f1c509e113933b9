import CAVShim
import MediaKit
import TestSupport
import Testing

/// Captions whose words light up, as they are seen in the pictures.
@Suite(.enabled(if: canDrawCaption("A"))) struct BurnWordTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// "one" from 0.4 s, "two" from 0.8 s, "three" from 1.2 s to 1.6 s.
    private static let transcript = Transcript(
        language: "en", duration: 2.4,
        segments: [
            .init(
                start: 0.4, end: 1.6, text: "one two three",
                words: [
                    .init(start: 0.4, end: 0.8, text: "one"), .init(start: 0.8, end: 1.2, text: "two"),
                    .init(start: 1.2, end: 1.6, text: "three"),
                ])
        ])

    private func burn(
        _ look: CaptionLook, width: Int = 640, height: Int = 360, transcript: Transcript = BurnWordTests.transcript
    ) async throws -> [DecodedFrame] {
        let input = try bench.put(burningClip(frames: 60, width: width, height: height))
        try await bench.burn(input, .transcript(transcript)) { $0.captions = look }
        return try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
    }

    /// Where a picture has chroma of a kind: the columns in which a plane is far above or below neutral.
    private func columns(_ frame: DecodedFrame, plane: Int, _ isHit: (UInt8) -> Bool) -> ClosedRange<Int>? {
        guard frame.planes.indices.contains(plane) else { return nil }
        let picture = frame.planes[plane]
        let hits = (0..<picture.width).filter { x in (0..<picture.height).contains { isHit(picture[x, $0]) } }
        guard let first = hits.first, let last = hits.last else { return nil }
        return first...last
    }

    @Test func `the spoken word has its colour while it is spoken and not before`() async throws {
        // Pure blue has the highest Cb there is.
        let blue = CaptionColor(red: 0, green: 0, blue: 255)
        let frames = try await burn(CaptionLook(preset: .classic, highlightColor: blue))
        let lit = frames.map { columns($0, plane: 1) { $0 > 180 } }
        for number in 0..<10 { #expect(lit[number] == nil && Ink(frames[number].luma, on: burningGray) == nil) }
        for number in 10..<40 { #expect(lit[number] != nil, "picture \(number)") }
        for number in 40..<60 { #expect(lit[number] == nil, "picture \(number)") }
        let places = try [12, 22, 32].map { try #require(lit[$0]) }
        #expect(places[0].upperBound < places[1].lowerBound && places[1].upperBound < places[2].lowerBound)
        for (word, start) in [10, 20, 30].enumerated() {
            for number in start..<start + 10 { #expect(lit[number] == places[word], "picture \(number)") }
        }
    }

    @Test(arguments: CaptionLook.Preset.allCases)
    func `the picture changes only when a word does`(preset: CaptionLook.Preset) async throws {
        let frames = try await burn(CaptionLook(preset: preset))
        let changes = (1..<frames.count).filter {
            frames[$0].planes.map(\.samples) != frames[$0 - 1].planes.map(\.samples)
        }
        #expect(changes.first == 10)
        #expect(Set(changes).subtracting([10, 20, 30, 40]).count <= 1, "\(changes)")
        #expect(preset == .classic || Set([10, 20, 30]).isSubset(of: changes), "\(changes)")
    }

    @Test func `no letter moves when another word lights up`() async throws {
        // Outlines alone are looked at: the letters' colour changes.
        for look in [
            CaptionLook(preset: .karaoke), CaptionLook(preset: .classic, highlightColor: .black),
            CaptionLook(preset: .box, boxColor: CaptionColor(red: 100, green: 100, blue: 100)),
        ] {
            let frames = try await burn(look)
            let areas = try [12, 22, 32].map { try #require(Ink(frames[$0].luma, on: burningGray, threshold: 60)) }
            for area in areas {
                #expect(abs(area.columns.lowerBound - areas[0].columns.lowerBound) <= 3)
                #expect(abs(area.columns.upperBound - areas[0].columns.upperBound) <= 3)
            }
        }
    }

    @Test func `a larger word leaves its neighbours where they are`() async throws {
        var look = CaptionLook(preset: .bold, highlightScale: 1)
        look.highlightColor = .white
        let still = try await burn(look)
        look.highlightScale = 1.1
        let frames = try await burn(look)
        // "three" is the same while "one" is larger and while "two" is.
        let area = try #require(Ink(still[12].luma, on: burningGray))
        // libass draws letters at eighths of a pixel, rounded from where its run of letters begins: an edge of white on
        // black that moves by a quarter changes by 55.
        var largest = 0
        for column in (area.columns.upperBound - area.width / 5)...area.columns.upperBound {
            for row in 0..<frames[12].luma.height {
                let values = [12, 22].map { Int(frames[$0].luma[column, row]) }
                largest = max(largest, abs(values[0] - values[1]))
            }
        }
        #expect(largest < 55)
        let large = try #require(Ink(frames[12].luma, on: burningGray))
        #expect(large.height > area.height && large.columns.lowerBound < area.columns.lowerBound)
        #expect(abs(large.middle.y - area.middle.y) <= 2)
    }

    @Test func `revealed words keep the places that they appear in`() async throws {
        let frames = try await burn(CaptionLook(preset: .reveal))
        let areas = try [12, 22, 32].map { try #require(Ink(frames[$0].luma, on: burningGray)) }
        #expect(Set(areas.map(\.columns.lowerBound)).count == 1)
        #expect(areas[0].columns.upperBound < areas[1].columns.upperBound)
        #expect(areas[1].columns.upperBound < areas[2].columns.upperBound)
    }

    @Test(
        arguments: CaptionLook.Preset.allCases,
        [(640, 360), (360, 640), (400, 400), (202, 360)])
    func `everything is inside the safe area`(preset: CaptionLook.Preset, size: (Int, Int)) async throws {
        let (width, height) = size
        let text =
            "Considerably extraordinary circumstances, nevertheless understandable, require internationalization."
        let transcript = Transcript(
            language: "en", duration: 2.4,
            segments: [
                .init(start: 0, end: 1.2, text: text, speaker: "A", channel: 0),
                .init(start: 0.2, end: 2.4, text: text, speaker: "B", channel: 1),
            ])
        let frames = try await burn(CaptionLook(preset: preset), width: width, height: height, transcript: transcript)
        let inks = frames.compactMap { Ink($0.luma, on: burningGray) }
        #expect(inks.count > 40)
        let isPortrait = height > width
        for ink in inks {
            #expect(ink.columns.lowerBound >= width / 20 - 1 && ink.columns.upperBound <= width * 19 / 20 + 1)
            #expect(ink.rows.lowerBound >= height / 20 - 1)
            // Apps cover the lowest part of a portrait picture.
            #expect(ink.rows.upperBound <= height * (isPortrait ? 83 : 95) / 100 + 1)
        }
    }

    @Test func `speakers have their colours`() async throws {
        let transcript = Transcript(
            duration: 2.4,
            segments: [
                .init(start: 0, end: 1, text: "Hello there", speaker: "A"),
                .init(start: 1.2, end: 2.2, text: "Good morning", speaker: "B"),
            ])
        var look = CaptionLook(preset: .classic)
        look.speakerColors = [
            CaptionColor(red: 0, green: 0, blue: 255), CaptionColor(red: 255, green: 0, blue: 0),
        ]
        let frames = try await burn(look, transcript: transcript)
        #expect(columns(frames[10], plane: 1) { $0 > 180 } != nil && columns(frames[10], plane: 2) { $0 > 180 } == nil)
        #expect(columns(frames[40], plane: 2) { $0 > 180 } != nil && columns(frames[40], plane: 1) { $0 > 180 } == nil)
    }

    @Test func `subtitles without times of words, and a transcript in a file, take looks as well`() async throws {
        let input = try bench.put(burningClip(frames: 50))
        let look = CaptionLook(preset: .classic, highlightColor: CaptionColor(red: 0, green: 0, blue: 255))
        let json = try Self.transcript.written(as: .json)
        try bench.scratch.put("talk.json", Array(json.utf8))
        for subtitles in [
            SubtitleInput.text(srt([(400, 1600, "one two three")])), .file(bench.scratch("talk.json")), .text(json),
        ] {
            try await bench.burn(input, subtitles) { $0.captions = look }
            let frames = try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
            let early = try #require(columns(frames[11], plane: 1) { $0 > 180 })
            let late = try #require(columns(frames[37], plane: 1) { $0 > 180 })
            #expect(early.upperBound < late.lowerBound)
        }
        // Without a look, in the ordinary style.
        try await bench.burn(input, .transcript(Self.transcript))
        let plain = try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
        #expect(Ink(plain[9].luma, on: burningGray) == nil && Ink(plain[12].luma, on: burningGray) != nil)
    }

    @Test func `ASS and a style besides a look are refused`() async throws {
        let input = try bench.put(burningClip(frames: 2))
        let ass =
            "[Script Info]\nScriptType: v4.00+\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.00,0:00:01.00,a\n"
        let first = await mediaError { try await bench.burn(input, .text(ass)) { $0.captions = CaptionLook() } }
        #expect(first?.code == .badRequest)
        var style = CaptionStyle()
        style.bold = true
        let second = await mediaError {
            try await bench.burn(input, .transcript(Self.transcript), style: style) { $0.captions = CaptionLook() }
        }
        #expect(second?.code == .badRequest && second?.description.contains("captions") == true)
    }
}
