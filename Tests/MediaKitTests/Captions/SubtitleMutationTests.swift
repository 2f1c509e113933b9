import MediaKit
import Testing

/// Damages good files at random, always in the same way.
@Suite struct `Damaged subtitles` {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let seeds: [String] = [
        "1\n00:00:01,000 --> 00:00:02,000\n{\\an8\\pos(1,2)}<b>bold <i>both</i></b> <font color=\"#ff0000\">red</font> &amp;\n\n2\n00:00:03,000 --> 00:00:04,000\nfünf 日本語 שלום 👩‍👩‍👧‍👦\n",
        "WEBVTT\n\nNOTE x\n\nid\n00:01.000 --> 00:02.000 line:-1,end position:60%,line-left size:35% align:start vertical:rl\n<v Bob><c.yellow.bg_blue>a</c></v> <ruby>b<rt>c</rt></ruby> &#x41;\n\n00:03.000 --> 00:04.000\n<00:03.500>d",
        "[Script Info]\nPlayResX: 640\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n[Events]\nFormat: Layer, Start, End, Style, Text\nDialogue: 0,0:00:01.00,0:00:02.00,Default,{\\t(0,1,\\c&HFF&)\\p1}m 0 0{\\p0}x\n",
    ]

    private static let tokens: [[UInt8]] =
        [
            "-->", "\n\n", "\r", "{\\", "}", "<", ">", "</", "&#", ";", "99999999999999999999", "-", ":", ",", "%",
            "WEBVTT", "[Events]",
            "<ruby><rt>", "\\N", "00:00:01,000 --> 00:00:02,000\n", "\u{202E}", "\u{FEFF}", "{\\pos(1e308,-1e308)}",
            "line:1e400%",
        ].map { Array($0.utf8) } + [[0], [0xFF, 0xFE], [0xE2, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90]]

    private static func mutated(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, at + Int.random(in: 0...20, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: tokens[Int.random(in: 0..<tokens.count, using: &random)], at: at)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
            case 3: bytes = Array(bytes.prefix(at))
            case 4:
                let token = tokens[Int.random(in: 0..<tokens.count, using: &random)]
                for _ in 0..<50 { bytes.insert(contentsOf: token, at: min(at, bytes.count)) }
            default: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
            }
        }
        return bytes
    }

    @Test func `3000 damaged files are read or refused, and what comes out stays small`() throws {
        var inputs = Self.seeds.map { Array($0.utf8) }
        for url in try SubtitleFixtures.files() {
            inputs.append(Array(try SubtitleFixtures.bytes(of: url).prefix(3000)))
        }
        var random = Random(state: 2024)
        var style = CaptionStyle()
        style.maximumLines = 2
        let writer = try ASSWriter(style: style, geometry: CaptionCanvas(width: 320, height: 240))
        var outcomes: [String: Int] = [:]
        for round in 0..<3000 {
            let bytes = Self.mutated(inputs[round % inputs.count], &random)
            do throws(MediaError) {
                let document = try SubtitleDocument.parse(bytes, name: "damaged")
                outcomes["read", default: 0] += 1
                let text = document.cues.reduce(0) { $0 + $1.text.utf8.count }
                #expect(text <= bytes.count * 3)
                #expect(document.cues.allSatisfy { $0.end > $0.start && $0.start >= 0 })
                let script = document.script ?? writer.write(document.cues).script
                let written = try script.replacingStyles(with: style, geometry: .init(width: 320, height: 240)).text
                #expect(written.utf8.count <= bytes.count * 40 + 10_000)
                // One event is one line: nothing in a cue's text opens another.
                let lines = written.utf8.split(separator: 0x0A).filter { $0.starts(with: "Dialogue:".utf8) }
                if document.script == nil { #expect(lines.count == script.events.count) }
            } catch {
                outcomes[error.code.rawValue, default: 0] += 1
                #expect([.badInput, .unsupported, .resourceLimit].contains(error.code))
            }
        }
        // Otherwise the damage is so great that it tests nothing.
        #expect(outcomes["read", default: 0] > 1000)
        #expect(outcomes.count > 1)
    }

    @Test(arguments: [
        "{\\i1", "<b>", "<", "&", "{\\", "<v ", "<ruby><rt>", "</b>", "&#x", "{", "\\", "{\\pos(", "<font color=", "- ",
        "漢", "e\u{301}",
    ])
    func `a cue full of one thing takes no undue time`(piece: String) throws {
        let text = String(repeating: piece, count: 60_000 / piece.utf8.count)
        let clock = ContinuousClock()
        let took = try clock.measure {
            for head in ["1\n00:00:01,000 --> 00:00:02,000\n", "WEBVTT\n\n00:01.000 --> 00:02.000\n"] {
                guard let document = try? SubtitleFixtures.parse(head + "x" + text + "y") else { continue }
                _ = try ASSWriter(style: CaptionStyle(), geometry: .init(width: 640, height: 360)).write(document.cues)
            }
            _ = try SubtitleFixtures.parse("WEBVTT\n\n00:01.000 --> 00:02.000\nok")
        }
        // Two cues of 60 kB in a debug build on a busy machine; quadratic work would take minutes.
        #expect(took < .seconds(30))
    }
}
