import Testing

@testable import MediaKit

@Suite struct CaptionRendererTests {
    static let geometry = CaptionGeometry(width: 640, height: 360)

    @Test(.enabled(if: canDrawCaption("A")))
    func `a caption is there during its time and nowhere else`() throws {
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(1, 2, "Hello")]), geometry: Self.geometry)
        #expect(renderer.render(at: 0) == .none)
        #expect(renderer.render(at: 999) == .none)
        #expect(renderer.render(at: 1000) == .changed)
        #expect(renderer.render(at: 1040) == .same)
        #expect(renderer.render(at: 1999) == .same)
        #expect(renderer.render(at: 2000) == .none)
    }

    @Test(.enabled(if: canDrawCaption("A")))
    func `the same picture after a gap, or from a second event, is not a change`() throws {
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(1, 2, "Hello"), dialogue(2, 3, "Hello"), dialogue(4, 5, "Hello")]),
            geometry: Self.geometry)
        #expect(renderer.render(at: 1500) == .changed)
        #expect(renderer.render(at: 2500) == .same)
        #expect(renderer.render(at: 3500) == .none)
        #expect(renderer.render(at: 4500) == .same)
    }

    @Test(.enabled(if: canDrawCaption("A")))
    func `going back in time shows what was there`() throws {
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(1, 2, "One"), dialogue(3, 4, "Two")]), geometry: Self.geometry)
        #expect(renderer.render(at: 3500) == .changed)
        #expect(renderer.render(at: 1500) == .changed)
        #expect(renderer.render(at: 500) == .none)
    }

    @Test(.enabled(if: canDrawCaption("A")))
    func `karaoke, moves and fades change while they last`() throws {
        for text in ["{\\kf200}Sing", "{\\move(100,100,300,200)}Go", "{\\fad(500,500)}Dawn", "{\\t(\\fscx300)}Wide"] {
            let renderer = try CaptionRenderer(
                script: captionTestScript([dialogue(0, 2, text)]), geometry: Self.geometry)
            _ = renderer.render(at: 100)
            #expect(renderer.render(at: 200) == .changed, "\(text)")
        }
    }

    @Test func `the next caption's time is known in advance`() throws {
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(1, 2, "a"), dialogue(1.5, 3, "b"), dialogue(10, 11, "c")]),
            geometry: Self.geometry)
        #expect(renderer.nextVisible(from: 0) == 1000)
        #expect(renderer.nextVisible(from: 1700) == 1700)
        #expect(renderer.nextVisible(from: 3000) == 10000)
        #expect(renderer.nextVisible(from: 11000) == nil)
    }

    @Test(.enabled(if: canDrawCaption("A")))
    func `text stays inside its margins and sits where its anchor says`() throws {
        for (anchor, rows) in [(8, 0..<120), (5, 120..<240), (2, 240..<360)] {
            let renderer = try CaptionRenderer(
                script: captionTestScript([dialogue(0, 1, "{\\an\(anchor)}Hello")]), geometry: Self.geometry)
            #expect(renderer.render(at: 0) == .changed)
            let box = try #require(CaptionTestBox(renderer.bitmaps(frameWidth: 640, frameHeight: 360)))
            #expect(rows.contains(box.rows.lowerBound) && rows.contains(box.rows.upperBound - 1))
            #expect(box.columns.lowerBound > 200 && box.columns.upperBound < 440)
        }
    }

    @Test(arguments: ["שלום עולם", "مرحبا بالعالم", "日本語の字幕", "Cafe\u{301} n\u{303}", "नमस्ते", "สวัสดี"])
    func `text of other scripts is drawn where a font has it`(text: String) throws {
        guard canDrawCaption(text) else { return }
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, text)]), geometry: Self.geometry, wrapsAnywhere: true)
        #expect(renderer.render(at: 0) == .changed)
        let bitmaps = renderer.bitmaps(frameWidth: 640, frameHeight: 360)
        let ink = bitmaps.reduce(0) { sum, bitmap in
            sum
                + (0..<bitmap.height).reduce(0) { rows, y in
                    rows + (0..<bitmap.width).count { bitmap.coverage[y * bitmap.stride + $0] > 128 }
                }
        }
        #expect(ink > 200)
    }

    @Test(.enabled(if: canDrawCaption("A")))
    func `text keeps its proportions on anamorphic pixels`() throws {
        func width(_ ratio: Rational) throws -> Int {
            let renderer = try CaptionRenderer(
                script: captionTestScript([dialogue(0, 1, "Proportions")]),
                geometry: CaptionGeometry(width: 640, height: 360, sampleAspectRatio: ratio))
            #expect(renderer.render(at: 0) == .changed)
            return try #require(CaptionTestBox(renderer.bitmaps(frameWidth: 640, frameHeight: 360))).columns.count
        }
        let square = try width(Rational(1, 1))
        let wide = try width(Rational(2, 1))
        #expect(abs(Double(wide) / Double(square) - 0.5) < 0.05)
        #expect(try width(Rational(0, 1)) == square)
    }

    @Test func `an empty script and one without events render nothing`() throws {
        let renderer = try CaptionRenderer(script: captionTestScript([]), geometry: Self.geometry)
        #expect(renderer.render(at: 0) == .none)
        #expect(renderer.nextVisible(from: 0) == nil)
        #expect(renderer.eventCount == 0)
    }

    @Test func `what is no script, and sizes that are no picture, are refused by name`() {
        #expect { try CaptionRenderer(script: Array("hello".utf8), geometry: Self.geometry) } throws: {
            ($0 as? MediaError)?.code == .badInput
        }
        #expect { try CaptionRenderer(script: [], geometry: Self.geometry) } throws: {
            ($0 as? MediaError)?.code == .badInput
        }
        for (width, height) in [(0, 10), (10, 0), (-1, 10), (1 << 20, 10)] {
            let geometry = CaptionGeometry(width: width, height: height)
            #expect {
                try CaptionRenderer(script: captionTestScript([]), geometry: geometry)
            } throws: {
                ($0 as? MediaError)?.code == .badRequest
            }
        }
    }

    @Test(arguments: [
        "{\\fscx999990\\fscy55360}日", "{\\fs100000}A", "{\\fs+90\\fs+90\\fs+90\\fs+90}A", "{\\fay1801\\blur90}A",
        "{\\p1}m 0 0 l 1000000 0 1000000 1000000", "{\\p100}m 0 0 l 100000 0 100000 100000", "{\\fs1e999}A",
        "{\\fscy0.0001\\fax3605}A", "{\\fax1801\\frz30}A",
        "{\\fs0.0001\\fax100\\fscx10010\\frz30}A",
        "{\\fsp9999999}AB", "{\\bord500000}A", String(repeating: "{\\fs300}A ", count: 5000),
    ])
    func `an event of absurd size is left out, and the others are drawn`(text: String) throws {
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, text), dialogue(2, 3, "Hello")]), geometry: Self.geometry)
        #expect(renderer.droppedEventCount == 1)
        #expect(renderer.render(at: 500) == .none)
        #expect(renderer.nextVisible(from: 0) == 2000)
    }

    @Test(arguments: [
        "{\\fs200\\fscx300\\bord20}SIGN", "{\\p1}m 0 0 l 640 0 640 360 0 360", "{\\p4\\fscx200}m 0 0 l 9000 0 0 9000",
        "{\\frx40\\fry20\\fax0.3}Tilted", String(repeating: "many words ", count: 200), "{\\blur10\\be3\\fsp10}soft",
    ])
    func `large signs, drawings and long texts are not taken for absurd`(text: String) throws {
        let renderer = try CaptionRenderer(
            script: captionTestScript([dialogue(0, 1, text)]), geometry: Self.geometry)
        #expect(renderer.droppedEventCount == 0)
    }

    @Test func `damaged scripts and fonts neither crash nor hang`() throws {
        var random = CaptionTestRandom(seed: 9)
        let script = captionTestScript([
            dialogue(0, 2, "{\\kf50\\t(0,500,\\fscx200\\frz30)\\fad(100,100)}Some {\\i1\\b700\\fnArial}text"),
            dialogue(0, 2, "{\\p1}m 0 0 l 90 0 90 90 b 0 9 9 0 50 50{\\p0}"),
            dialogue(0, 2, "{\\clip(0,0,100,100)\\blur3\\be2\\pos(10,20)\\org(1,1)}مرحبا 日本 {\\rDefault}end"),
        ])
        let font = FontFile(name: "noise.ttf", bytes: (0..<500).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        var drawn = 0
        for _ in 0..<60 {
            var damaged = script
            for _ in 0..<(1 + random.next() % 20) {
                damaged[Int(random.next() % UInt64(damaged.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            guard
                let renderer = try? CaptionRenderer(
                    script: damaged, fonts: [font], geometry: CaptionGeometry(width: 160, height: 90))
            else { continue }
            let compositor = try CaptionCompositor(
                layout: CaptionCompositorTests.layouts[0], width: 160, height: 90)
            for time in [0, 700, 1900] as [Int64] where renderer.render(at: time) == .changed {
                compositor.update(from: renderer)
                drawn += 1
            }
        }
        // A few bytes of damage leave most of a script readable.
        #expect(drawn > 60)
    }
}

@Suite struct CaptionScheduleTests {
    @Test func `times that no event covers are empty and events that touch are not split by a gap`() {
        var schedule = CaptionSchedule([
            .init(start: 0, end: 10, isAnimated: false), .init(start: 10, end: 20, isAnimated: true),
            .init(start: 30, end: 30, isAnimated: false), .init(start: 40, end: 35, isAnimated: false),
        ])
        #expect(
            schedule.segments == [
                .init(start: 0, events: 1, isAnimated: false), .init(start: 10, events: 1, isAnimated: true),
                .init(start: 20, events: 0, isAnimated: false),
            ])
        #expect(schedule.index(at: -1) == nil)
        #expect(schedule.index(at: 9) == 0)
        #expect(schedule.index(at: 10) == 1)
        #expect(schedule.index(at: 500) == 2)
        #expect(schedule.index(at: 3) == 0)
    }

    @Test func `tags that move a picture are told from those that do not`() {
        for text in [
            "{\\k20}a", "{\\K5}", "{\\i1\\ko3}", "{\\t(\\fs3)}", "{\\move(1,2,3,4)}", "{\\fad(1,2)}", "{\\fade(0)}",
        ] {
            #expect(CaptionSchedule.isAnimated(text: text.utf8, hasEffect: false), "\(text)")
        }
        for text in ["plain", "{\\fs30\\fnArial\\frz3}x", "{\\b1\\i1\\pos(3,4)}y\\Nz\\h", "{\\an8\\1c&H00&}k t m"] {
            #expect(!CaptionSchedule.isAnimated(text: text.utf8, hasEffect: false), "\(text)")
        }
        #expect(CaptionSchedule.isAnimated(text: "plain".utf8, hasEffect: true))
    }
}
