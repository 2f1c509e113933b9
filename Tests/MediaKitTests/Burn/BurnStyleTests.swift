import MediaKit
import TestSupport
import Testing

@Suite(.enabled(if: canDrawCaption("H█"))) struct BurnStyleTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func style(_ change: (inout CaptionStyle) -> Void) -> CaptionStyle {
        var style = CaptionStyle()
        change(&style)
        return style
    }

    @Test(arguments: CaptionAnchor.allCases)
    func `a caption stands where its anchor says`(anchor: CaptionAnchor) async throws {
        let ink = try #require(try await bench.ink(srt("Hello"), style: style { $0.alignment = anchor }))
        let name = anchor.rawValue.lowercased()
        let column = name.contains("left") ? 0 : name.contains("right") ? 2 : 1
        let row = name.hasPrefix("top") ? 0 : name.hasPrefix("bottom") ? 2 : 1
        // All of it in its ninth of the picture.
        let columns = [0..<213, 213..<427, 427..<640][column], rows = [0..<120, 120..<240, 240..<360][row]
        #expect(columns.contains(ink.columns.lowerBound) && columns.contains(ink.columns.upperBound - 1), "\(ink)")
        #expect(rows.contains(ink.rows.lowerBound) && rows.contains(ink.rows.upperBound - 1), "\(ink)")
        // The safe area of 5 % is respected, and used.
        switch column {
        case 0: #expect((31...40).contains(ink.columns.lowerBound))
        case 2: #expect((31...40).contains(640 - ink.columns.upperBound))
        default: #expect(abs(ink.middle.x - 320) <= 2)
        }
    }

    @Test(arguments: [(854, 480), (1920, 1080), (3840, 2160), (480, 854), (1080, 1920), (720, 720)])
    func `captions look alike at every size, in portrait too`(width: Int, height: Int) async throws {
        // Scaled up from something small, for speed: captions are drawn on the picture as it will be seen.
        let clip = burningClip(width: width / 2 & ~1, height: height / 2 & ~1)
        let ink = try #require(
            try await bench.ink(srt("HHH"), clip: clip) {
                $0.video.size = PictureSize(width: width, height: height, fit: .stretch, enlarge: true)
            })
        let shorter = Double(min(width, height))
        let reference = try #require(
            try await bench.ink(srt("HHH"), clip: burningClip(width: 1280, height: 720)))
        let ratio = Double(ink.height) / shorter, expected = Double(reference.height) / 720
        #expect(abs(ratio / expected - 1) < 0.07, "\(ink.height) rows")
        #expect(abs(Double(ink.width) / shorter / (Double(reference.width) / 720) - 1) < 0.07)
        // From the lower edge, too: a twentieth of the height is free.
        let free = Double(height - ink.rows.upperBound) / Double(height)
        #expect(free > 0.045 && free < 0.1)
    }

    @Test func `size is a fraction of the shorter side, or pixels`() async throws {
        let small = try #require(try await bench.ink(srt("HHH"), style: style { $0.fontSize = 0.1 }))
        let large = try #require(try await bench.ink(srt("HHH"), style: style { $0.fontSize = 0.2 }))
        let pixels = try #require(try await bench.ink(srt("HHH"), style: style { $0.fontSizePixels = 72 }))
        #expect(abs(Double(large.height) / Double(small.height) - 2) < 0.1)
        #expect(pixels == large)
    }

    @Test func `bold is heavier, italic slants`() async throws {
        let plain = try #require(try await bench.ink(srt("Hello"), style: style { $0.fontSize = 0.2 }))
        let bold = try #require(
            try await bench.ink(
                srt("Hello"),
                style: style {
                    $0.fontSize = 0.2
                    $0.bold = true
                }))
        let tagged = try #require(try await bench.ink(srt("<b>Hello</b>"), style: style { $0.fontSize = 0.2 }))
        let italic = try #require(
            try await bench.ink(
                srt("Hello"),
                style: style {
                    $0.fontSize = 0.2
                    $0.italic = true
                }))
        #expect(bold.count > plain.count * 11 / 10 && tagged == bold && italic != plain)
    }

    // MARK: Colour

    /// Y, U and V in 8 bits, limited range.
    private func yuv(_ red: Double, _ green: Double, _ blue: Double, kr: Double, kb: Double) -> [Double] {
        let luma = kr * red + (1 - kr - kb) * green + kb * blue
        return [
            16 + 219 * luma, 128 + 224 * (blue - luma) / (2 * (1 - kb)), 128 + 224 * (red - luma) / (2 * (1 - kr)),
        ]
    }

    @Test(arguments: [(1, 0.2126, 0.0722), (6, 0.299, 0.114)], ["#FF8000", "#2040C0", "#FFFFFF", "#00FF00"])
    func `a colour is the right one in the picture's matrix`(
        matrix: (code: Int, kr: Double, kb: Double), color: String
    ) async throws {
        let clip = burningClip {
            ($0.matrix, $0.primaries, $0.transfer, $0.range) = (matrix.code, matrix.code, matrix.code, 1)
        }
        let fill = try #require(CaptionColor(color))
        let planes = try await bench.picture(
            srt("██"),
            style: style {
                $0.fillColor = fill
                $0.fontSize = 0.4
                $0.alignment = .center
            }, clip: clip)
        #expect(planes.count == 3)
        let expected = yuv(
            Double(fill.red) / 255, Double(fill.green) / 255, Double(fill.blue) / 255, kr: matrix.kr, kb: matrix.kb)
        for (plane, value) in zip(planes, expected) {
            // The middle of the picture lies in the blocks.
            #expect(abs(plane.mean(0.47...0.49, 0.49...0.51) - value) <= 1.5, "\(color)")
        }
    }

    @Test func `opacity mixes fill and background with the picture`() async throws {
        let half = try await bench.picture(
            srt("██"),
            style: style {
                $0.fontSize = 0.4
                $0.alignment = .center
                $0.fillOpacity = 0.5
                $0.outlineWidth = 0
            })
        // White is 235.
        #expect(abs((half.first?.mean(0.47...0.49, 0.49...0.51) ?? 0) - (235 + 100) / 2) <= 2)

        for opacity in [1, 0.5] {
            let box = try await bench.picture(
                srt("i"),
                style: style {
                    $0.fontSize = 0.2
                    $0.alignment = .center
                    $0.backgroundColor = .black
                    $0.backgroundOpacity = opacity
                    $0.backgroundPadding = 0.4
                    $0.outlineWidth = 0
                })
            let luma = try #require(box.first)
            let ink = try #require(Ink(luma, on: burningGray))
            // Just inside the box's corner there is no text.
            let corner = Double(luma[ink.columns.lowerBound + 3, ink.rows.lowerBound + 3])
            #expect(abs(corner - (16 * opacity + 100 * (1 - opacity))) <= 2, "\(opacity)")
            // It reaches beyond the text by 0.4 of 72 pixels.
            let text = try #require(
                try await bench.ink(
                    srt("i"),
                    style: style {
                        $0.fontSize = 0.2
                        $0.alignment = .center
                        $0.outlineWidth = 0
                    }))
            #expect(text.columns.lowerBound - ink.columns.lowerBound >= 26)
            #expect(text.rows.lowerBound - ink.rows.lowerBound >= 26)
        }
    }

    @Test func `outline and shadow are drawn around and beside the text`() async throws {
        func ink(_ change: (inout CaptionStyle) -> Void) async throws -> Ink {
            try #require(
                try await bench.ink(
                    srt("H"),
                    style: style {
                        $0.fontSize = 0.3
                        $0.outlineWidth = 0
                        change(&$0)
                    }))
        }
        let bare = try await ink { _ in }
        let outlined = try await ink { $0.outlineWidth = 0.1 }
        let shadowed = try await ink { $0.shadowOffset = 0.1 }
        // 0.1 of 108 pixels.
        #expect((8...13).contains(bare.columns.lowerBound - outlined.columns.lowerBound))
        #expect((8...13).contains(outlined.columns.upperBound - bare.columns.upperBound))
        #expect((8...13).contains(shadowed.columns.upperBound - bare.columns.upperBound))
        #expect(abs(shadowed.columns.lowerBound - bare.columns.lowerBound) <= 1)
    }

    // MARK: Room

    @Test func `margins and the safe area stay free`() async throws {
        let text = String(repeating: "many words and more ", count: 6)
        let ink = try #require(
            try await bench.ink(
                srt(text),
                style: style {
                    $0.safeArea = 0.1
                    $0.marginHorizontal = 0.1
                    $0.marginVertical = 0.15
                    $0.maximumWidth = 1
                }))
        // The outline may reach out by its width.
        #expect(ink.columns.lowerBound >= 128 - 2 && ink.columns.upperBound <= 512 + 2)
        #expect(ink.rows.upperBound <= 270 + 2 && ink.rows.upperBound > 250)
    }

    @Test func `lines are no wider than they may be, and of about one width`() async throws {
        let text = "one two three four five six seven eight nine ten eleven twelve"
        let narrow = try #require(try await bench.ink(srt(text), style: style { $0.maximumWidth = 0.4 }))
        let wide = try #require(try await bench.ink(srt(text), style: style { $0.maximumWidth = 0.9 }))
        #expect(narrow.width <= 256 + 4 && wide.width <= 576 + 4)
        #expect(narrow.height > wide.height * 3 / 2)
    }

    @Test func `no more lines are shown than allowed, the rest comes after`() async throws {
        let text = (0..<150).map { "word\($0)" }.joined(separator: " ")
        let clip = burningClip(frames: 10, rate: 10)
        let one = try #require(try await bench.ink(srt("Hp"), clip: clip))
        let result = try await bench.burn(
            try bench.put(clip), .text(srt([(0, 1000, text)])), style: style { $0.maximumLines = 2 })
        #expect(result.warnings.contains { $0.code == .subtitle && $0.message.contains("parts") })
        let frames = try #require(try bench.look("out.mkv", pictureWidth: 4096).video).frames
        let inks = frames.map { Ink($0.luma, on: burningGray) }
        #expect(inks.allSatisfy { ($0?.height ?? .max) < one.height * 5 / 2 })
        #expect(Set(frames.map { $0.luma.samples }).count >= 2, "all parts are the same")
    }

    @Test func `styles out of range are refused by name`() async throws {
        let changes: [(String, (inout CaptionStyle) -> Void)] = [
            ("fontSize", { $0.fontSize = 3 }), ("fillOpacity", { $0.fillOpacity = -1 }),
            ("fontFamily", { $0.fontFamily = "a,{\\p1}" }), ("maximumLines", { $0.maximumLines = 0 }),
            ("fontSize", { $0.fontSize = .nan }),
        ]
        for (name, change) in changes {
            let error = await mediaError {
                try await bench.burn("/nonexistent.mp4", .text("x"), style: style(change))
            }
            #expect(error?.code == .badRequest && error?.description.contains(name) == true)
        }
    }

    // MARK: WebVTT's own places

    @Test func `WebVTT's line, position and align are honoured`() async throws {
        func ink(_ settings: String) async throws -> Ink {
            try #require(try await bench.ink("WEBVTT\n\n00:00.000 --> 00:09.000 \(settings)\nHello\n"))
        }
        let plain = try await ink("")
        #expect(plain.rows.lowerBound > 300)
        #expect(try await ink("line:0").rows.upperBound < 60)
        let middle = try await ink("line:50%")
        #expect((170...215).contains(middle.rows.lowerBound))
        #expect(try await ink("align:left position:10%").columns.lowerBound < 80)
        #expect(try await ink("align:right").columns.upperBound > 590)
    }

    // MARK: ASS

    @Test func `ASS keeps its own styles unless they are overridden`() async throws {
        // Blue on gray, 60 of 360 lines high.
        let script = assScript("Dialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,{\\an5}██", style: "&H00FF0000")
        let own = try await bench.picture(script)
        let overridden = try await bench.picture(script, style: style { $0.fontSize = 0.3 }) {
            $0.overridesStyles = true
        }
        let blue = own.dropFirst().first?.mean(0.48...0.49, 0.49...0.51) ?? 0
        let white = overridden.dropFirst().first?.mean(0.48...0.49, 0.49...0.51) ?? 0
        #expect(blue > 220 && abs(white - 128) < 2)
        let ownInk = try #require(own.first.flatMap { Ink($0, on: burningGray) })
        let overriddenInk = try #require(overridden.first.flatMap { Ink($0, on: burningGray) })
        #expect(overriddenInk.height > ownInk.height * 3 / 2)
    }
}
