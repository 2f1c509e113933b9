import MediaKit

/// Whether captions can be drawn: has some font each of the characters that are tried?
struct FontCheck: DoctorCheck {
    let name = "fonts"

    /// Writing that captions are made of, and a few of its characters.
    struct Writing: Sendable {
        let name: String
        let sample: String
        /// Debian's package that has it.
        let package: String
        /// Whether a worker without it is of little use.
        var isNeeded = false
    }

    static let writings = [
        Writing(name: "Latin", sample: "Aéßż", package: "fonts-noto-core", isNeeded: true),
        Writing(name: "Greek and Cyrillic", sample: "ΩЖ", package: "fonts-noto-core"),
        Writing(name: "Arabic and Hebrew", sample: "عש", package: "fonts-noto-core"),
        Writing(name: "Indic", sample: "हதই", package: "fonts-noto-core"),
        Writing(name: "Chinese, Japanese and Korean", sample: "漢かカ한", package: "fonts-noto-cjk"),
        // libass draws outlines: colour fonts of bitmaps are of no use to it.
        Writing(name: "emoji", sample: "😀🎬", package: "fonts-symbola"),
    ]

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let family = CaptionStyle().fontFamily
        let (report, families) = try await Bounded.blocking {
            let renderer = try CaptionRenderer(
                script: Array(Self.script(family).utf8), geometry: CaptionGeometry(width: 320, height: 180))
            return (renderer.fontReport, try Capabilities.current().fonts.families)
        }
        return Self.findings(missing: Set(report.missing.flatMap(\.codePoints)), families: families)
    }

    private static func script(_ family: String) -> String {
        """
        [Script Info]
        ScriptType: v4.00+
        PlayResX: 320
        PlayResY: 180

        [V4+ Styles]
        Format: Name, Fontname, Fontsize, Alignment
        Style: Default,\(family),20,2

        [Events]
        Format: Layer, Start, End, Style, Text
        Dialogue: 0,0:00:00.00,0:00:01.00,Default,\(writings.map(\.sample).joined(separator: " "))

        """
    }

    /// - Parameter missing: code points that no font has.
    static func findings(missing: Set<UInt32>, families: [String]) -> [DoctorFinding] {
        guard !families.isEmpty else {
            return [.wrong("there are no fonts: captions come out empty", "apt-get install fonts-noto-core")]
        }
        var findings: [DoctorFinding] = []
        var drawn: [String] = []
        for writing in writings {
            guard writing.sample.unicodeScalars.contains(where: { missing.contains($0.value) }) else {
                drawn.append(writing.name)
                continue
            }
            let text = "no font has all of \(writing.name) (\(writing.sample)): captions show empty boxes"
            let remedy = "apt-get install \(writing.package)"
            findings.append(writing.isNeeded ? .wrong(text, remedy) : .note(text, remedy))
        }
        let count = families.count == 1 ? "1 family draws" : "\(families.count) families draw"
        return (drawn.isEmpty ? [] : [.ok("\(count) \(drawn.joined(separator: ", "))")]) + findings
    }
}
